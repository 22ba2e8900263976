/**
 * The cdktf app as one bundle: cdktf and its bindings are hundreds of files, and finding each takes longer than reading it.
 * `npm run policy`, which answers at once, is another, in the place of what tsc has made of it.
 * Runs after tsc, whose output it takes the description's schema from.
 */
import standalone from 'ajv/dist/standalone/index.js';
import { _ } from 'ajv';
import { compiler } from './dist/modules/cluster/validator.js';
import { schema } from './dist/modules/cluster/schema/schema.js';

/** Puts the finished code of the schema in the place of what would compile it. */
const compiledSchema = {
  name: 'compiled-schema',
  load(id) {
    if (!id.endsWith('/modules/cluster/validator.ts')) return undefined;
    const ajv = compiler(true);
    ajv.opts.code.formats = _`formats`;
    const code = standalone.default(ajv, ajv.compile(schema));
    return {
      code: `import { formats } from './schema/formats.ts';\n${code}\nexport const validator = () => validate;\n`,
      moduleType: 'js',
    };
  },
};

/** cdktf was archived in 2025; its fork cdktn takes the same code: `CDKTF_PACKAGE=cdktn npm run build`. */
const framework = process.env.CDKTF_PACKAGE ?? 'cdktf';

export default [
  {
    input: { main: 'stacks/main.ts' },
    platform: 'node',
    resolve: { alias: { cdktf: framework } },
    plugins: [compiledSchema],
    output: { dir: 'dist/stacks', format: 'esm', chunkFileNames: '[name].js', cleanDir: true },
  },
  {
    input: { policy: 'verbs/policy.ts' },
    platform: 'node',
    plugins: [compiledSchema],
    output: { dir: 'dist/verbs', format: 'esm', chunkFileNames: 'chunks/[name].js', sourcemap: true },
  },
];
