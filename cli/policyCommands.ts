// The words of the commands about policies and destinations; what a command does lies in a file of its own.

import type { Command } from 'commander';

const policyDir = ['--policy-dir <dir>', 'policies, one YAML file each (./policies)'] as const;
const configDir = ['--config-dir <dir>', 'destinations.yaml and its like (./config)'] as const;

export function addPolicyCommands(program: Command, client: (command: Command) => Command): void {
  program
    .command('init [dir]')
    .description('copy the annotated policies and configuration here, to edit them')
    .action(async (dir) => (await import('./init.ts')).init(dir));

  const policy = program.command('policy').description('what is allowed');
  policy
    .command('check [dir]')
    .description('say what is wrong with the policies; exit status 2 on a fault')
    .option(...policyDir)
    .action(async (dir, options) => (await import('./policy.ts')).checkPolicies(dir, options));
  policy
    .command('test [dir]')
    .description('run the cases beside the policies; exit status 1 where one does not hold')
    .option(...policyDir)
    .action(async (dir, options) => (await import('./policy.ts')).testPolicies(dir, options));
  client(policy.command('explain [file]').description('what would become of a request in a file ("-": standard input)'))
    .option('--intent <id>', 'of a recorded request instead, from a running Gate')
    .option(...policyDir)
    .option(...configDir)
    .option('--tier <tier>', 'of the agent: standard, elevated or restricted')
    .option('--environment <name>', 'of the agent')
    .option('--json', 'as one JSON object')
    .action(async (file, options) => (await import('./explain.ts')).explainRequest(file, options));

  const destinations = program.command('destinations').description('where agents may write to');
  destinations
    .command('explain <method> <url>')
    .description('which entry covers a request, and where it would be sent')
    .option(...configDir)
    .action(async (method, url, options) =>
      (await import('./destinations.ts')).explainDestination(method, url, options),
    );
  destinations
    .command('add <host>')
    .description('append an entry to your destinations.yaml')
    .option('--destination <name>', 'the name that policies know it by')
    .option('--policy <id>', 'the policy that judges writes to it')
    .option(...configDir)
    .option(...policyDir)
    .action(async (host, options) => (await import('./destinations.ts')).addDestination(host, options));
  destinations
    .command('suggest')
    .description('entries for the hosts that were refused so far, to read and paste')
    .option('--data-dir <dir>', 'of the Gate that refused them')
    .option(...configDir)
    .action(async (options) => (await import('./destinations.ts')).suggestDestinations(options));
}
