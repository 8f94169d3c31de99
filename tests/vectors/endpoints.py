#!/usr/bin/env python3
"""Prints endpoints.json: what botocore's own resolver makes of every region that botocore knows.

    pip install botocore==1.44.5
    python tests/vectors/endpoints.py > tests/vectors/endpoints.json

Nothing is sent: the resolver works on botocore's data files, the rule set of Roles Anywhere and the
table of partitions. (A botocore client looks into the older endpoints.json first and refuses
dual-stack in the isolated partitions, for which the rule set has an answer.)
"""

import itertools
import json

import botocore
import botocore.session
from botocore.endpoint_provider import EndpointProvider, RuleSetStandardLibrary

# Regions that no partition lists: they fall to a partition by their form, or to `aws`.
UNLISTED = ["us-east-99", "cn-west-7", "us-gov-north-1", "eusc-de-west-2", "xx-new-1", "local"]
# Old names of FIPS endpoints, which select the FIPS host of the region that they hold.
PSEUDO = ["fips-us-east-1", "us-west-2-fips", "fips-us-gov-west-1"]


def main():
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "secret")
    loader = session.get_component("data_loader")
    partitions = loader.load_data("partitions")
    rules = loader.load_service_model("rolesanywhere", "endpoint-rule-set-1")
    provider = EndpointProvider(rules, partitions)
    library = RuleSetStandardLibrary(partitions)

    # Roles Anywhere is regional: the global names have no endpoint of it.
    listed = [name for partition in partitions["partitions"] for name in partition["regions"]]
    regions = [name for name in listed if not name.endswith("-global")] + UNLISTED + PSEUDO
    rows = []
    for region, fips, dual_stack in itertools.product(regions, (False, True), (False, True)):
        signing_region, use_fips = region, fips
        if region in PSEUDO:
            # The client splits them before it asks the rule set.
            client = session.create_client("rolesanywhere", region_name=region)
            signing_region = client.meta.region_name
            use_fips = client.meta.config.use_fips_endpoint
        endpoint = provider.resolve_endpoint(
            Region=signing_region, UseFIPS=use_fips, UseDualStack=dual_stack
        )
        rows.append(
            {
                "region": region,
                "fips": fips,
                "dual_stack": dual_stack,
                "url": endpoint.url,
                "signing_region": signing_region,
                "partition": library.aws_partition(signing_region)["name"],
            }
        )
    print("{")
    print(f' "source": "botocore {botocore.__version__}, tests/vectors/endpoints.py",')
    print(' "endpoints": [')
    print(",\n".join("  " + json.dumps(row) for row in rows))
    print(" ]\n}")


if __name__ == "__main__":
    main()
