"""Consumes the stream; a batch with a key that ends in `poison` fails, one that ends in `bad` is reported as failed."""


def handler(event, context):
    """Give back the keys that were consumed."""
    keys = []
    for record in event["Records"]:
        key = record["dynamodb"]["Keys"]["pk"]["S"]
        if key.endswith("poison"):
            raise ValueError("poison")
        if key.endswith("bad"):
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
        keys.append(key)
    return {"batchItemFailures": [], "keys": keys}
