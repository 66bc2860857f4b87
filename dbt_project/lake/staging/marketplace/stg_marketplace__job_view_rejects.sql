{{ rejected_events("job_view") }}
