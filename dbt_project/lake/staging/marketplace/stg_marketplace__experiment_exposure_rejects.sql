{{ rejected_events("experiment_exposure") }}
