import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'reports/', 'rendered/', 'node_modules/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // An index into a checked array is often right where TypeScript cannot see it; `?? fail()` would say less.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            // Each index loads every resource of its cloud: 4 s and 500 MB. Import '@cdktf/provider-aws/lib/instance'.
            { name: '@cdktf/provider-aws', message: "Import by resource: '@cdktf/provider-aws/lib/…'." },
            { name: '@cdktf/provider-google', message: "Import by resource: '@cdktf/provider-google/lib/…'." },
          ],
        },
      ],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
);
