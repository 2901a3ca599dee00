// Every command, its words and options; what a command does lies in a file of its own.

import { Command } from 'commander';
import { addPolicyCommands } from './policyCommands.ts';
import { isStopped } from './stopped.ts';

export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('zehrava-gate')
    .description('The gate that every write of an AI agent passes')
    .showHelpAfterError('(zehrava-gate --help lists the commands)')
    .exitOverride();

  program
    .command('serve', { isDefault: true })
    .description('start Gate: control API and proxy')
    .option('--port <port>', 'control API and dashboard (4000)')
    .option('--host <address>', 'where the control API listens (127.0.0.1)')
    .option('--proxy-port <port>', 'every proxy door (4001)')
    .option('--proxy-host <address>', 'where the proxy listens (127.0.0.1)')
    .option('--data-dir <dir>', 'everything Gate writes (./data)')
    .option('--policy-dir <dir>', 'policies, one YAML file each (./policies)')
    .option('--config-dir <dir>', 'destinations.yaml and its like (./config)')
    .option('--insecure-control', 'let the control API listen beyond loopback without TLS')
    .action(async (flags) => (await import('./serve.ts')).serve(flags));

  program
    .command('demo')
    .description('a whole life of two requests, with real processes, in a directory of its own')
    .option('--json', 'one JSON object a line')
    .action(async (options) => (await import('../demo/demo.ts')).demo(options));

  const login = program.command('login [link-or-key]').description('keep a key for this user');
  client(login)
    .option('--link', 'print another sign-in link; needs the data directory')
    .option('--data-dir <dir>', 'of the Gate to sign in to')
    .action(async (what, options) => (await import('./login.ts')).login(what, options));

  intents(program.command('intents').description('what agents want to do'));
  const agents = program.command('agents').description('who acts');
  client(agents.command('add <name>').description('register an agent; prints its key once'))
    .option('--tier <tier>', 'standard, elevated or restricted')
    .action(async (name, options) => (await import('./agents.ts')).addAgent(name, options));

  addPolicyCommands(program, client);

  const keys = program.command('keys').description('who may act as an admin');
  keys
    .command('reset-admin')
    .description('end every admin key and print a sign-in link; Gate must be stopped')
    .option('--data-dir <dir>', 'of the Gate whose they are')
    .action(async (options) => (await import('./keys.ts')).resetAdmin(options));

  const ca = program.command('ca').description('the certificate authority of intercepted tunnels');
  ca.command('print')
    .description('print the certificate that clients trust')
    .option('--data-dir <dir>', 'of the Gate whose it is')
    .action(async (options) => (await import('./ca.ts')).printCa(options));
  ca.command('rotate')
    .description('make a new one; the one before stays among what is printed')
    .option('--data-dir <dir>', 'of the Gate whose it is')
    .action(async (options) => (await import('./ca.ts')).rotate(options));

  const audit = program.command('audit').description('the log');
  audit
    .command('export')
    .description('print one event per line')
    .option('--data-dir <dir>', 'of the Gate whose log it is')
    .action(async (options) => (await import('./audit.ts')).exportAudit(options));
  audit
    .command('verify')
    .description('check the log; exit status 1 on a fault')
    .option('--data-dir <dir>', 'of the Gate whose log it is')
    .option('--file <file>', 'an export instead')
    .option('--key <file>', 'the audit key (audit.key in the data directory)')
    .option('--head <hex>', 'the link of the last event, known from elsewhere')
    .action(async (options) => (await import('./audit.ts')).verifyAudit(options));

  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (isStopped(error)) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = process.exitCode || 1;
    }
  }
}

function client(command: Command): Command {
  return command
    .option('--url <url>', 'of the control API (GATE_URL, http://127.0.0.1:4000)')
    .option('--key <key>', 'to act with (GATE_ADMIN_KEY, else the one kept by login)');
}

function intents(command: Command): void {
  client(command.command('list').description('newest first'))
    .option('--status <status>', 'only those, e.g. pending_approval')
    .option('--limit <n>', '1 to 500')
    .option('--json', 'as the API answers')
    .action(async (options) => (await import('./intents.ts')).listIntents(options));
  client(command.command('show <id>').description('one, in full, with its payload'))
    .option('--json', 'as the API answers, without the payload')
    .action(async (id, options) => (await import('./intents.ts')).showIntent(id, options));
  for (const verb of ['approve', 'reject', 'revoke'] as const) {
    client(command.command(`${verb} <id>`).description(descriptions[verb]))
      .option('--reason <text>', 'for the agent and the log')
      .option('--digest <hex>', 'approve this very request, as shown')
      .action(async (id, options) => (await import('./intents.ts')).decideIntent(verb, id, options));
  }
  client(command.command('watch').description('print what waits for a person, as it comes'))
    .option('--once', 'only what waits now')
    .action(async (options) => (await import('./watch.ts')).watchIntents(options));
  client(command.command('held').description('clients whose connection waits'))
    .option('--json', 'as the API answers')
    .action(async (options) => (await import('./watch.ts')).listHeld(options));
  client(command.command('resolve <id>').description('say what became of an unknown one'))
    .requiredOption('--outcome <outcome>', 'sent or not_sent')
    .requiredOption('--note <text>', 'how you know')
    .action(async (id, options) => (await import('./intents.ts')).resolveIntent(id, options));
}

const descriptions = {
  approve: 'let it pass, once, in its time',
  reject: 'end a pending one',
  revoke: 'take an unused approval back',
} as const;
