"""The peer: Spark Structured Streaming from Kafka to S3, in an environment of its own."""
