"""What every test shares: an environment of its own, set before anything of the engine is imported."""

from __future__ import annotations

import os

os.environ.update(
    {
        # More threads only burn time on arrays of the size of scoring's.
        "OPENBLAS_NUM_THREADS": "1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        # botocore would ask for streams at a host that moto does not answer.
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "HUIKE_STAGE": "test",
        "HUIKE_TABLE_PREFIX": "huike-test-",
        "HUIKE_ID_SECRET": "a secret of the tests",
        "HUIKE_SCORING_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/huike-test-scoring",
        "HUIKE_BUCKET": "huike-test-files",
        "HUIKE_OIDC_ISSUER": "https://issuer.example",
        "HUIKE_OIDC_CLIENTS": "app,machine",
        "HUIKE_CHALLENGES_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/huike-test-challenges",
        "HUIKE_VOUCHERS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/huike-test-vouchers",
        "HUIKE_BIRTHDAYS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/huike-test-birthdays",
        "HUIKE_CROSSINGS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/huike-test-crossings",
        "HUIKE_REFERRALS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/huike-test-referrals",
        "HUIKE_SURVEYS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/huike-test-surveys",
        "HUIKE_CLAIMS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/huike-test-claims",
    }
)
for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
    os.environ.pop(name, None)
