/**
 * Lays the stand-in out as a plugin that `terraform init` finds: a filesystem mirror with hashicorp/google 6.50.0 in it, which is
 * a script that starts the program beside it. The program is compiled here, from these very sources: it is never stale.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { root } from '../../../modules/root/root.ts';
import { providerSchema } from './schema.ts';

/** What @cdktf/provider-google binds, and so what every synthesized stack asks for. */
export const googleVersion = '6.50.0';

/** What a cluster may need of Google's; anything else of the package can be asked for. */
const usual = /^(?:data-google-)?(?:compute-.*|service-account|project-iam-member)$|^data-google-client-config$/;

export interface Standin {
  /** For `filesystem_mirror { path = … }`. */
  readonly mirror: string;
  /** The plugin itself. */
  readonly plugin: string;
}

/** `folder` is the caller's own and may be used for many stores. `wanted` chooses types by their folder in the package's lib. */
export function install(folder: string, wanted: (name: string) => boolean = (name) => usual.test(name)): Standin {
  const program = join(folder, 'program');
  const mirror = join(folder, 'mirror');
  const home = join(mirror, 'registry.terraform.io', 'hashicorp', 'google', googleVersion, 'linux_amd64');
  mkdirSync(program, { recursive: true });
  mkdirSync(home, { recursive: true });

  const sources = dirname(fileURLToPath(import.meta.url));
  for (const file of readdirSync(sources)) {
    if (!file.endsWith('.ts')) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(sources, file), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    writeFileSync(join(program, file.replace(/\.ts$/, '.js')), outputText);
  }
  copyFileSync(join(sources, 'plugin.proto'), join(program, 'plugin.proto'));
  writeFileSync(join(program, 'package.json'), '{ "type": "module" }\n');
  symlinkSync(join(root, 'node_modules'), join(program, 'node_modules'));
  const google = join(root, 'node_modules', '@cdktf', 'provider-google');
  writeFileSync(join(program, 'schema.json'), JSON.stringify(providerSchema(google, wanted)));

  const plugin = join(home, `terraform-provider-google_v${googleVersion}_x5`);
  writeFileSync(plugin, `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(join(program, 'main.js'))}\n`);
  chmodSync(plugin, 0o755);
  return { mirror, plugin };
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
