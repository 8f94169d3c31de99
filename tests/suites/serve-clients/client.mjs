// Prints who the credentials of the SDK's default chain belong to.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";

const sts = new STSClient({ credentials: fromNodeProviderChain() });
console.log((await sts.send(new GetCallerIdentityCommand({}))).Arn);
