/** The plugin's program: Terraform starts it, reads where it listens from its first line, and ends it. */
import { loadSync } from '@grpc/proto-loader';
import { loadPackageDefinition, Server, ServerCredentials, type ServiceClientConstructor } from '@grpc/grpc-js';
import { fileURLToPath } from 'node:url';
import { certificate } from './certificate.ts';
import { provider, readSchema } from './server.ts';

/** Terraform sets this for its plugins, so that nobody starts one by hand. */
if (process.env['TF_PLUGIN_MAGIC_COOKIE'] !== 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2') {
  process.stderr.write('This is a plugin of Terraform: Terraform starts it.\n');
  process.exit(1);
}

const definition = loadSync(fileURLToPath(new URL('plugin.proto', import.meta.url)), {
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
});
const { Provider: service, GRPCController: controller } = loadPackageDefinition(definition)[
  'tfplugin5'
] as unknown as Record<'Provider' | 'GRPCController', ServiceClientConstructor>;

const large = 256 * 1024 * 1024;
const server = new Server({ 'grpc.max_receive_message_length': large, 'grpc.max_send_message_length': large });
server.addService(service.service, provider(readSchema(new URL('schema.json', import.meta.url))));
const shutdown = controller.service['Shutdown']!;
server.addService(
  { Shutdown: { ...shutdown, path: '/plugin.GRPCController/Shutdown' } },
  {
    Shutdown: (_call: unknown, done: (error: null, answer: object) => void) => {
      done(null, {});
      // The answer has to be on its way first.
      setTimeout(() => process.exit(0), 20);
    },
  },
);

const { der, certPem, keyPem } = certificate();
const credentials = ServerCredentials.createSsl(
  null,
  [{ cert_chain: Buffer.from(certPem), private_key: Buffer.from(keyPem) }],
  false,
);
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) throw error;
  process.stdout.write(`1|5|tcp|127.0.0.1:${port}|grpc|${der.toString('base64').replace(/=+$/, '')}\n`);
});

// Terraform that was killed says no goodbye; its plugin would stay for ever.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(0);
}, 1000).unref();
