#!/usr/bin/env python3
"""Prints hosts.json: host names of AWS with the signing name and the region that requests to them are signed for.

    pip install botocore==1.44.8
    python tests/vectors/hosts.py > tests/vectors/hosts.json

The first part is what the endpoint rule set of each service makes of some regions of several partitions; of the
first region in four forms (plain, FIPS, dual stack, both). The second part are documented host names that carry a resource: no rule set
makes them without its parameters. Each of them names AWS's page.

Left out: services whose rule set wants more than a region; host names that botocore signs in two ways by region
(`budgets`, `cloudfront`, `codecatalyst`, `importexport`, `sustainability` in GovCloud or by an unused name); the
pages for signing in, which are no services.
"""

import itertools
import json
from urllib.parse import urlsplit

import botocore
import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError

REGIONS = ["eu-west-1", "us-east-1", "cn-north-1", "us-gov-east-1", "us-iso-east-1"]
LEFT_OUT = {"budgets", "cloudfront", "codecatalyst", "importexport", "sustainability", "signin"}
# Host, signing name, region; `None` where the name does not tell.
RESOURCES = [
    # S3: "Virtual hosting of buckets", "Using Amazon S3 dual-stack endpoints"
    ("bucket.s3.eu-west-1.amazonaws.com", "s3", "eu-west-1"),
    ("dotted.bucket.s3.eu-west-1.amazonaws.com", "s3", "eu-west-1"),
    ("bucket.s3.dualstack.us-west-2.amazonaws.com", "s3", "us-west-2"),
    ("bucket.s3-fips.us-east-1.amazonaws.com", "s3", "us-east-1"),
    ("bucket.s3-eu-west-1.amazonaws.com", "s3", "eu-west-1"),
    ("s3-us-west-2.amazonaws.com", "s3", "us-west-2"),
    ("bucket.s3.amazonaws.com", "s3", "us-east-1"),
    ("bucket.s3.cn-north-1.amazonaws.com.cn", "s3", "cn-north-1"),
    # "Configuring fast, secure file transfers using Amazon S3 Transfer Acceleration": no region in the name
    ("bucket.s3-accelerate.amazonaws.com", "s3", None),
    ("bucket.s3-accelerate.dualstack.amazonaws.com", "s3", None),
    # "Accessing an access point", "Object Lambda", "Amazon S3 on Outposts"
    ("point-123456789012.s3-accesspoint.eu-west-1.amazonaws.com", "s3", "eu-west-1"),
    ("point-123456789012.s3-accesspoint-fips.us-gov-west-1.amazonaws.com", "s3", "us-gov-west-1"),
    ("point-123456789012.s3-object-lambda.eu-west-1.amazonaws.com", "s3-object-lambda", "eu-west-1"),
    ("point-123456789012.op-0123456789abcdef0.s3-outposts.eu-west-1.amazonaws.com", "s3-outposts", "eu-west-1"),
    ("123456789012.s3-control.eu-west-1.amazonaws.com", "s3", "eu-west-1"),
    # Multi-region access points want Signature Version 4A
    ("mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com", None, None),
    # "Regional and Zonal endpoints for directory buckets"
    ("bucket--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com", "s3express", "us-east-1"),
    ("s3express-control.us-east-1.amazonaws.com", "s3express", "us-east-1"),
    # "Accessing AWS services through AWS PrivateLink"
    ("bucket.vpce-1a2b3c4d5e6f-abcdefgh.s3.us-east-1.vpce.amazonaws.com", "s3", "us-east-1"),
    ("vpce-0123456789abcdef0-a1b2c3d4.sts.eu-west-1.vpce.amazonaws.com", "sts", "eu-west-1"),
    ("vpce-0123456789abcdef0-a1b2c3d4-eu-west-1a.rolesanywhere.eu-west-1.vpce.amazonaws.com", "rolesanywhere", "eu-west-1"),
    ("vpce-0123456789abcdef0-a1b2c3d4.execute-api.eu-west-1.vpce.amazonaws.com", "execute-api", "eu-west-1"),
    # API Gateway, Lambda's function URLs, AppSync, VPC Lattice
    ("a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com", "execute-api", "eu-west-1"),
    ("abcdefghijklmnopqrstuvwxyz.lambda-url.eu-west-1.on.aws", "lambda", "eu-west-1"),
    ("abcdefghijklmnopqrstuvwxyz.appsync-api.eu-west-1.amazonaws.com", "appsync", "eu-west-1"),
    ("name-0123456789abcdef0.7d67968.vpc-lattice-svcs.eu-west-1.on.aws", "vpc-lattice-svcs", "eu-west-1"),
    # OpenSearch, with and without servers
    ("search-domain-abcdefghijklmnopqrstuvwxyz.eu-west-1.es.amazonaws.com", "es", "eu-west-1"),
    ("abcdefghij0123456789.eu-west-1.aoss.amazonaws.com", "aoss", "eu-west-1"),
    # AWS IoT: "Device communication protocols"
    ("a1b2c3d4e5f6g7-ats.iot.eu-west-1.amazonaws.com", "iotdata", "eu-west-1"),
    ("a1b2c3d4e5f6g7.jobs.iot.eu-west-1.amazonaws.com", "iot-jobs-data", "eu-west-1"),
    # DynamoDB's endpoints by account, the old host name of SQS
    ("123456789012.ddb.eu-west-1.amazonaws.com", "dynamodb", "eu-west-1"),
    ("eu-west-1.queue.amazonaws.com", "sqs", "eu-west-1"),
    # Host names of other people
    ("example.com", None, None),
    ("amazonaws.com", None, None),
    ("s3.eu-west-1.amazonaws.com.example.com", None, None),
    ("localhost", None, None),
]


def main():
    session = botocore.session.Session()
    loader = session.get_component("data_loader")
    partitions = loader.load_data("partitions")
    found = {}
    for name in loader.list_available_services("service-2"):
        if name in LEFT_OUT:
            continue
        metadata = loader.load_service_model(name, "service-2")["metadata"]
        rules = loader.load_service_model(name, "endpoint-rule-set-1")
        provider = EndpointProvider(rules, partitions)
        for region, fips, dual_stack in itertools.product(REGIONS, (False, True), (False, True)):
            if (fips or dual_stack) and region != REGIONS[0]:
                continue
            try:
                endpoint = provider.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual_stack)
            except BotoCoreError:
                continue
            signing, signing_region = metadata.get("signingName", metadata["endpointPrefix"]), region
            for scheme in endpoint.properties.get("authSchemes", []):
                if scheme["name"] == "sigv4":
                    signing = scheme.get("signingName", signing)
                    signing_region = scheme.get("signingRegion", signing_region)
                    break
            found[(urlsplit(endpoint.url).hostname, signing, signing_region)] = None
    rows = [list(row) for row in [*found, *RESOURCES]]
    print("{")
    print(f' "source": "botocore {botocore.__version__}, tests/vectors/hosts.py",')
    print(' "hosts": [')
    print(",\n".join(json.dumps(row, separators=(",", ":")) for row in rows))
    print(" ]\n}")


if __name__ == "__main__":
    main()
