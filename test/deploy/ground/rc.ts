/** A folder of plugins, and which of them are taken from it (`registry.terraform.io/hashicorp/*`). */
export interface Mirror {
  readonly path: string;
  readonly include?: readonly string[];
}

/** Mirrors in the words of Terraform's CLI configuration, and nothing but them: a test that downloads is no test. */
export const rcText = (mirrors: readonly Mirror[]): string =>
  `provider_installation {\n${mirrors
    .map(
      ({ path, include = ['*/*/*'] }) =>
        `  filesystem_mirror {\n    path    = ${JSON.stringify(path)}\n    include = ${JSON.stringify(include)}\n  }\n`,
    )
    .join('')}}\n`;
