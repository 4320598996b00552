import tseslint from 'typescript-eslint';

const impure = 'time and randomness are passed in, so that pure rooms give the same answer twice';

const noEnum = {
  selector: 'TSEnumDeclaration',
  message: 'a union of strings needs no code and reads the same in JSON',
};
/** V8 makes such a function in the old generation: what it refers to then lives until that is collected. */
const noTenuredClosure = {
  selector: "AssignmentExpression[left.type='MemberExpression'][right.type=/^(?:Arrow)?FunctionExpression$/]",
  message:
    'name the function first (docs/performance.md): assigned as it is written it keeps all that it refers to alive',
};

export default tseslint.config(
  // AssemblyScript is TypeScript in spelling alone: its own compiler checks it.
  { ignores: ['dist/', 'coverage/', '.cache/', 'node_modules/', 'src/masking/assembly/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      // Interfaces of several sides are async where only one of them waits.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/ban-ts-comment': [
        'error',
        { 'ts-ignore': true, 'ts-nocheck': true, 'ts-expect-error': true },
      ],
      eqeqeq: 'error',
      'no-control-regex': 'error',
      'no-eval': 'error',
      'no-restricted-syntax': ['error', noEnum],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}', 'commands/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: false, skipComments: false }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true, IIFEs: true }],
      'no-console': 'error',
    },
  },
  {
    // The trial stack silences what its provider prints.
    files: ['src/dev/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['agent', 'client', 'network', 'recording', 'sinks', 'store', 'tunnel'].map((room) => `src/${room}/**/*.ts`),
    rules: { 'no-restricted-syntax': ['error', noEnum, noTenuredClosure] },
  },
  {
    // One file is one command: parse, call, print.
    files: ['commands/**/*.ts'],
    rules: { 'max-lines': ['error', { max: 80, skipBlankLines: false, skipComments: false }] },
  },
  {
    files: ['src/core/**/*.ts', 'src/policy/**/*.ts', 'src/masking/**/*.ts', 'src/protocols/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: impure },
        { object: 'Math', property: 'random', message: impure },
      ],
      'no-restricted-syntax': [
        'error',
        noEnum,
        noTenuredClosure,
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: impure },
        { selector: "CallExpression[callee.name='Date']", message: impure },
      ],
    },
  },
  {
    files: ['test/**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'no-control-regex': 'off',
      // What a foreign program printed is checked by the assertions that follow.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
    },
  },
);
