// The lint configuration, generated: an override replaces a rule whole, so each floor's bans are put together here.

/** Dialling, and what could dial: proxy/forward.ts alone. */
const dialling = ['undici', 'http-proxy', 'http-proxy-3', 'node:net', 'node:tls', 'node:dns', 'node:dns/promises'];
const neverUsed = [
  'node:https',
  'node:http2',
  'node:dgram',
  'node:module',
  'node:vm',
  'node:child_process',
  'node:repl',
];
/** Of certificates: ca/x509.ts alone. */
const certificates = ['node-forge'];

/** Files of each floor, as they are named in imports. An arrow never points up. */
const floors: readonly { readonly files: readonly string[]; readonly named: readonly string[] }[] = [
  { files: ['core/**'], named: ['**/core/**'] },
  {
    files: [
      'control/ports.ts',
      'control/permit.ts',
      'control/policy/**',
      'control/audit/chain.ts',
      'control/audit/lines.ts',
      'control/audit/verify.ts',
      'proxy/wire/**',
      'proxy/answers.ts',
      'proxy/arrival.ts',
      'proxy/seal.ts',
      'proxy/credential.ts',
      'config/destinations.ts',
      'config/destinationsFile.ts',
      'config/shape.ts',
      'config/yaml.ts',
      'config/nearest.ts',
      'config/faults.ts',
    ],
    named: [],
  },
  {
    files: ['ca/**', 'control/store/**', 'proxy/forward.ts', 'proxy/exchange.ts', 'proxy/body.ts', 'config/**'],
    named: [
      '**/store/**',
      '**/forward.ts',
      '**/exchange.ts',
      '**/body.ts',
      '**/load.ts',
      '**/files.ts',
      '**/dataDir.ts',
      '**/config/watch.ts',
      '**/inForce.ts',
      '**/casesRun.ts',
    ],
  },
  {
    files: ['proxy/*.ts', 'control/*.ts', 'control/approvals/**', 'control/audit/**'],
    named: ['**/pipeline.ts', '**/carryOut.ts', '**/record.ts', '**/gate.ts', '**/directory.ts', '**/approvals/**'],
  },
  {
    files: ['proxy/server.ts', 'proxy/rawAnswer.ts', 'proxy/doors/**', 'control/api/**'],
    named: ['**/server.ts', '**/rawAnswer.ts', '**/doors/**', '**/api/**'],
  },
  { files: ['main.ts', 'cli.ts', 'cli/**', 'demo/**'], named: ['**/main.ts', '**/cli.ts', '**/cli/**', '**/demo/**'] },
];

interface Allowed {
  readonly modules?: readonly string[];
  readonly mints?: 'may mint';
}

function imports(floor: number, allowed: Allowed = {}) {
  const { modules = [], mints } = allowed;
  const banned = [...dialling, ...neverUsed, ...certificates].filter((name) => !modules.includes(name));
  const above = floors.slice(floor + 1).flatMap(({ named }) => named);
  const pure = floor === 0 ? ['node:*', '../**'] : [];
  const patterns: object[] = [];
  const group = [...above, ...pure];
  if (group.length > 0) patterns.push({ group, message: 'An arrow never points up: ARCHITECTURE.md, Floors' });
  if (mints === undefined) {
    const message = 'Permits are minted for main.ts alone';
    patterns.push({ group: ['**/permit.ts'], importNames: ['createMint'], message });
  }
  const paths = banned.map((name) => ({ name, message: 'This module has one owner: ARCHITECTURE.md, Owners' }));
  return ['error', { paths, patterns }];
}

const noFetch = ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'].map((name) => ({
  name,
  message: 'Only proxy/forward.ts dials',
}));

function override(files: readonly string[], rules: object) {
  return { files, rules };
}

export const config = {
  $schema: './node_modules/oxlint/configuration_schema.json',
  plugins: ['typescript', 'import', 'node', 'promise', 'unicorn', 'oxc'],
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['node_modules', 'dist', 'coverage'],
  rules: {
    'no-restricted-imports': imports(5),
    'no-restricted-globals': ['error', ...noFetch],
    'node/no-process-env': 'error',
    'import/no-cycle': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'import/no-default-export': 'error',
    'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'no-warning-comments': 'error',
    'no-await-in-loop': 'off',
    'unicorn/no-array-sort': 'off',
    'no-shadow': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/no-unnecessary-type-arguments': 'off',
    'typescript/require-await': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'import/no-unassigned-import': 'off',
    'no-underscore-dangle': 'off',
    // Bytes as latin1 and control characters are Gate's daily business.
    'no-control-regex': 'off',
    // tsc's noImplicitReturns knows which switches are exhaustive.
    'typescript/consistent-return': 'off',
    'import/no-named-as-default-member': 'off',
    'unicorn/require-post-message-target-origin': 'off',
    'unicorn/no-array-fill-with-reference-type': 'off',
    'promise/no-callback-in-promise': 'off',
    'no-unused-vars': ['error', { varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
    'typescript/no-misused-spread': 'off',
    'no-misleading-character-class': 'off',
    'typescript/no-unsafe-enum-comparison': 'off',
    'typescript/no-unsafe-enum-assignment': 'off',
  },
  overrides: [
    ...floors.map(({ files }, floor) => override(files, { 'no-restricted-imports': imports(floor) })),
    override(['config/load.ts'], { 'node/no-process-env': 'off' }),
    override(['proxy/forward.ts'], { 'no-restricted-imports': imports(2, { modules: dialling }) }),
    // Types of sockets that the server hands over; nothing there connects.
    override(['proxy/server.ts', 'proxy/doors/connect.ts'], {
      'no-restricted-imports': imports(4, { modules: ['node:tls'] }),
    }),
    // Address forms for certificates, and contexts for the TLS that Gate ends: nothing there connects.
    override(['ca/x509.ts'], { 'no-restricted-imports': imports(2, { modules: ['node-forge', 'node:net'] }) }),
    override(['ca/leaf.ts'], { 'no-restricted-imports': imports(2, { modules: ['node:tls'] }) }),
    override(['main.ts'], { 'no-restricted-imports': imports(5, { mints: 'may mint' }) }),
    // Clients of Gate itself, in processes of their own.
    override(['cli/client.ts'], { 'no-restricted-globals': 'off' }),
    override(['demo/**'], { 'no-restricted-imports': imports(5, { modules: ['node:net', 'node:child_process'] }) }),
    override(['test/**', 'bench/**', 'lint/**'], {
      'no-restricted-imports': 'off',
      'no-restricted-globals': 'off',
      'node/no-process-env': 'off',
      // node:test's functions return promises that its runner awaits.
      'typescript/no-floating-promises': 'off',
      'typescript/no-explicit-any': 'off',
      'no-unmodified-loop-condition': 'off',
    }),
  ],
};
