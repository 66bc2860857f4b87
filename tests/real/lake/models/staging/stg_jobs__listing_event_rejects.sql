{{ rejected_events("listing_event") }}
