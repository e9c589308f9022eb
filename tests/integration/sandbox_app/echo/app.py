"""Does what each message says, so that the tests can see how the runner treats every way a function can end."""

import json
import os
import time

import boto3


def handler(event, context):
    """Act on each message; those that are to fail are reported as failed."""
    failed = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        if order.get("do") == "raise":
            raise RuntimeError("asked to raise")
        if order.get("do") == "hang":
            time.sleep(30)
        if order.get("do") == "exit":
            os._exit(3)
        if order.get("do") == "fail":
            failed.append({"itemIdentifier": record["messageId"]})
        if order.get("do") == "write":
            table = boto3.client("dynamodb")
            table.put_item(
                TableName=os.environ["TABLE"], Item={"pk": {"S": order["pk"]}, "at": {"N": str(time.time())}}
            )
        time.sleep(order.get("sleep", 0))
    print("said", os.environ["GREETING"])  # noqa: T201 - the test looks for it in the log
    return {"batchItemFailures": failed, "remaining": context.get_remaining_time_in_millis(), "time": time.time()}
