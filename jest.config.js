/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testSequencer: '<rootDir>/test/sequencer.cjs',
  globalSetup: '<rootDir>/test/global-setup.js',
  globalTeardown: '<rootDir>/test/global-teardown.js',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    // The sources are ESM; Jest runs them as CommonJS, so no --experimental-vm-modules is needed.
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs', importInterop: 'node' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  injectGlobals: false,
  testTimeout: 60_000,
  // Most tests wait for hosts, Redis or Slack rather than for a processor.
  maxWorkers: 4,
};
