const js = require('@eslint/js');
const importX = require('eslint-plugin-import-x');
const tseslint = require('typescript-eslint');

/**
 * Imports run one way (docs/architecture.md). Each folder under lib lists the other folders that it may use;
 * the rule forbids the rest.
 */
const MAY_USE = {
  contract: [],
  util: ['contract'],
  aws: ['contract', 'util'],
  ssh: ['contract', 'util'],
  session: ['contract', 'util', 'aws'],
  hosts: ['contract', 'util', 'aws', 'ssh', 'session'],
  tasks: ['contract', 'util', 'aws', 'ssh', 'session'],
  mngr: ['contract', 'util', 'aws', 'ssh', 'session', 'hosts', 'tasks'],
  sandbox: ['contract', 'util', 'aws', 'ssh', 'session', 'hosts', 'tasks'],
  cli: ['contract', 'util', 'aws', 'ssh', 'session', 'hosts', 'tasks', 'mngr', 'sandbox', 'local'],
  constructs: ['contract', 'util'],
  stacks: ['contract', 'util', 'constructs'],
  local: ['contract', 'util'],
};

const zones = Object.entries(MAY_USE).map(([folder, allowed]) => ({
  target: `./lib/${folder}`,
  from: ['./lib', './lambda', './bin'],
  except: [`./${folder}`, ...allowed.map((name) => `./${name}`)].map((path) => path),
  message: `lib/${folder} may use ${allowed.length === 0 ? 'nothing else' : allowed.join(', ')} (docs/architecture.md)`,
}));

/** Handlers are on no side but their own: the constructs name them, and they use what launchers use. */
const LAMBDA_MAY_USE = ['contract', 'util', 'aws', 'ssh', 'hosts'];

// `except` is relative to one `from`, so each zone forbids lib's other folders one by one.
const restrictedPaths = zones.flatMap(({ target, except, message }) => [
  { target, from: './lib', except, message },
  { target, from: './bin', message },
  { target, from: './lambda', message },
]);
restrictedPaths.push(
  {
    target: './lambda',
    from: './lib',
    except: LAMBDA_MAY_USE.map((name) => `./${name}`),
    message: `lambda may use ${LAMBDA_MAY_USE.join(', ')} of lib (docs/architecture.md)`,
  },
  { target: './lambda', from: './bin', message: 'lambda may not use bin (docs/architecture.md)' },
);

/** The groups of lib/hosts, lowest first: each may use those before it. Files beside the groups bring them together. */
const HOSTS_GROUPS = ['model', 'agents', 'ecs', 'remote', 'lifecycle', 'reaping'];
restrictedPaths.push(
  ...HOSTS_GROUPS.slice(0, -1).map((group, index) => ({
    target: `./lib/hosts/${group}`,
    from: HOSTS_GROUPS.slice(index + 1).map((higher) => `./lib/hosts/${higher}`),
    message: `lib/hosts/${group} may not use the groups above it: ${HOSTS_GROUPS.join(', ')} (docs/architecture.md)`,
  })),
  {
    target: './lib/hosts/reaping',
    from: './lib/hosts/lifecycle',
    message: 'lib/hosts/reaping works on tasks: it may not use lib/hosts/lifecycle (docs/architecture.md)',
  },
);

restrictedPaths.push({
  target: './lib/sandbox/client',
  from: './lib',
  except: ['./sandbox/client'],
  message: 'lib/sandbox/client is published alone: it may use nothing else (docs/sandbox-clients.md)',
});

module.exports = tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'cdk.out/', 'coverage/'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [importX.createNodeResolver({ extensions: ['.ts', '.js', '.json'] })] },
    rules: {
      'import-x/no-restricted-paths': ['error', { basePath: __dirname, zones: restrictedPaths }],
      'import-x/no-cycle': ['error', { maxDepth: 3 }],
      'no-restricted-syntax': [
        'error',
        {
          selector: "ImportDeclaration[source.value='zod'][importKind='value'] > ImportSpecifier[imported.name='z']",
          message: 'import * as z: a bundle then has only the parts of zod that are used',
        },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    // Everything else reaches hosts through the channel (lib/contract/channel.ts). The local endpoint plays the server.
    files: ['lib/**/*.ts', 'lambda/**/*.ts', 'bin/**/*.ts'],
    ignores: ['lib/ssh/**', 'lib/local/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'ssh2', message: 'use HostChannel of lib/contract/channel.ts' }], patterns: ['ssh2/*'] },
      ],
    },
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: {
        require: 'readonly',
        module: 'writable',
        __dirname: 'readonly',
        process: 'readonly',
        console: 'readonly',
      },
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
