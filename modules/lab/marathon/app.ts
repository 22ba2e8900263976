/** The fields of an app that the stand-in acts on. Its form has been judged by Marathon's types before it is one. */
export interface GivenApp {
  readonly id: string;
  readonly cmd?: string;
  readonly args?: readonly string[];
  readonly instances?: number;
  readonly cpus?: number;
  readonly mem?: number;
  readonly constraints?: readonly (readonly string[])[];
  readonly healthChecks?: readonly GivenCheck[];
  readonly ports?: readonly number[];
  readonly portDefinitions?: readonly object[];
  readonly ipAddress?: {
    readonly groups?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
    readonly networkName?: string;
    readonly discovery?: object;
  };
  readonly networks?: readonly GivenNetwork[];
  readonly container?: {
    readonly type?: 'DOCKER' | 'MESOS';
    readonly docker?: {
      readonly image: string;
      readonly network?: 'BRIDGE' | 'HOST' | 'NONE' | 'USER';
      readonly parameters?: readonly { readonly key: string; readonly value: string }[];
      readonly portMappings?: readonly object[];
    };
    readonly portMappings?: readonly object[];
  };
}

export interface GivenCheck {
  readonly protocol?: string;
  readonly command?: { readonly value: string };
  readonly gracePeriodSeconds?: number;
  readonly intervalSeconds?: number;
  readonly maxConsecutiveFailures?: number;
}

export interface GivenNetwork {
  readonly mode?: 'container' | 'container/bridge' | 'host';
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A container without a type is one of Docker. */
export const isDocker = ({ container }: GivenApp): boolean =>
  container !== undefined && (container.type ?? 'DOCKER') === 'DOCKER';

export const netParameter = ({ container }: GivenApp): string | undefined =>
  container?.docker?.parameters?.filter(({ key }) => key === 'net' || key === 'network').at(-1)?.value;
