/** The least that any synthesis takes: node, cdktf, the bindings that BINDINGS names, and a stack with nothing in it. */
import { App, TerraformStack } from 'cdktf';

for (const binding of process.env.BINDINGS.split(',')) await import(`@cdktf/${binding}/index.js`);
const app = new App({ stackTraces: false });
new TerraformStack(app, 'empty');
app.synth();
