{{ rejected_events("job_posting") }}
