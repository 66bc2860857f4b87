{{ rejected_events("job_application") }}
