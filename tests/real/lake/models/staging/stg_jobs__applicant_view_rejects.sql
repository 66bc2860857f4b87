{{ rejected_events("applicant_view") }}
