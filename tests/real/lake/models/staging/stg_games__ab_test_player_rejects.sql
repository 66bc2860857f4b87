{{ rejected_events("ab_test_player") }}
