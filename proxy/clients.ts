// SDK clients, by their User-Agent: they take any 2xx for success, so a pending answer must not be one.

import type { Header } from '../core/facts.ts';

/** The published list; docs/clients.md says what each was seen to do with Gate's answers. */
export const sdkClients: readonly (readonly [name: string, userAgent: RegExp])[] = [
  ['stripe (Node, Python and its other SDKs)', /^Stripe\/v\d/],
  ['openai (Node, Python)', /^(Async)?OpenAI\//],
  ['anthropic (Node, Python)', /^(Async)?Anthropic\//],
  ['sendgrid (Node, Python)', /^sendgrid\//i],
  ['twilio (Node, Python)', /^twilio-(node|python)\//],
  ['octokit', /^octokit[-./]/i],
  ['PyGithub', /^PyGithub\//],
  ['boto3, botocore and the AWS CLI', /^(Boto3|Botocore|aws-cli)\//],
  ['AWS SDK for JavaScript', /^aws-sdk-js\//],
  ['hubspot', /^hubspot-api-client/i],
  ['slack', /^(@slack:|@slack\/|slackclient\/|slack_sdk\/)/],
];

export function isSdkClient(headers: readonly Header[]): boolean {
  const agents = headers.filter(([name]) => name.toLowerCase() === 'user-agent').map(([, value]) => value);
  return agents.some((agent) => sdkClients.some(([, pattern]) => pattern.test(agent)));
}
