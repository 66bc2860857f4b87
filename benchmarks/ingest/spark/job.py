"""Spark Structured Streaming as a sink: Kafka to S3, routed by type, day and hour, gzip.

`job.py BROKER TOPIC BUCKET TYPE_FIELD TIME_FIELD CHECKPOINT`, run by spark-submit of the environment.
"""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, date_format, from_json

broker, topic, bucket, type_field, time_field, checkpoint = sys.argv[1:]

spark = SparkSession.builder.getOrCreate()
lines = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", broker)
    .option("subscribe", topic)
    .option("startingOffsets", "earliest")
    .option("kafka.isolation.level", "read_committed")
    .load()
    .select(col("value").cast("string").alias("value"))
)
fields = from_json(col("value"), f"`{type_field}` string, `{time_field}` timestamp")
routed = lines.withColumn("fields", fields).select(
    "value",
    col(f"fields.`{type_field}`").alias("type"),
    date_format(f"fields.`{time_field}`", "yyyy-MM-dd").alias("dt"),
    date_format(f"fields.`{time_field}`", "HH").alias("hour"),
)
(
    routed.writeStream.format("text")
    .option("compression", "gzip")
    .partitionBy("type", "dt", "hour")
    .option("path", f"s3a://{bucket}/spark")
    .option("checkpointLocation", checkpoint)
    .trigger(availableNow=True)
    .start()
    .awaitTermination()
)
spark.stop()
