{{ rejected_events("search") }}
