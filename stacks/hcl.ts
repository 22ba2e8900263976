/**
 * HCL as Terraform takes it. cdktf 0.21.0 writes three things otherwise
 * (https://github.com/hashicorp/terraform-cdk/blob/v0.21.0/packages/cdktf/lib/hcl/render.ts): conditions as a list where
 * blocks belong, references in quotes, and texts of several lines with a line break more.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'cdktf';

/** Mends what `synth()` has written. */
export function mend({ outdir, manifest }: App): void {
  for (const { synthesizedStackPath } of Object.values(manifest.stacks)) {
    const file = join(outdir, synthesizedStackPath);
    writeFileSync(file, mended(readFileSync(file, 'utf8')));
  }
}

/** The same with its three faults mended; what is inside of texts stays as it is. */
export function mended(hcl: string): string {
  return hcl
    .split(/^(.* = <<EOF\n[\s\S]*?\nEOF)$/m)
    .map((part, index) => (index % 2 === 1 ? asLong(part) : conditions(references(part))))
    .join('');
}

/** A text of lines ends with the line break of its last line, and has that of the line before `EOF` besides. */
function asLong(text: string): string {
  if (text.endsWith('\n\nEOF')) return `${text.slice(0, -'\nEOF'.length)}EOF`;
  const [, name, rest] = /^(.*?) = (<<EOF[\s\S]*)$/.exec(text)!;
  return `${name} = trimsuffix(${rest}\n, "\\n")`;
}

const conditions = (text: string): string =>
  text.replace(/^( *)((?:pre|post)condition) = \[\n([\s\S]*?)\n\]$/gm, (_, indent: string, name: string, all: string) =>
    all
      .split(/,$/m)
      .flatMap((block) => block.trim() || [])
      .map((block) => `${indent}${name} ${block}`)
      .join('\n'),
  );

const references = (text: string): string =>
  text.replace(
    /^( *(?:replace_triggered_by|ignore_changes|depends_on) = \[\n)([\s\S]*?)(\n\])$/gm,
    (_, open: string, all: string, close: string) => [open, all.replaceAll('"', ''), close].join(''),
  );
