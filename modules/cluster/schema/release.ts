import Type, { type Static, type TUnsafe } from 'typebox';
import { softwareNames, type SoftwareName } from '../../release/channel.ts';
import { closed, filePath, flag, list, oneOf, sha256, text, webAddress } from './words.ts';

const channel = oneOf(['classic', 'current'], {
  description:
    '`classic`: what the guides of 2016 describe (Calico v0.19, net-modules). `current`: what still runs (Calico v2.6, CNI).',
  default: 'current',
  examples: ['classic'],
});

const software = closed(
  {
    version: Type.Optional(
      text({
        description: 'Another version than the one of the channel, in quotes.',
        examples: ['20.10.24'],
        pattern: '^v?[0-9]+(\\.[0-9]+)*([.+~-][0-9A-Za-z.+~-]*)?$',
        rule: 'a version is numbers with dots, v before them and a suffix behind them if need be',
      }),
    ),
    image: Type.Optional(
      text({
        description: 'Another image: repository with its tag or digest. `release.registry` goes before it.',
        examples: ['calico/node:v2.6.12'],
        pattern: '^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*(:[\\w.-]+|@sha256:[0-9a-f]{64})$',
        rule: 'an image is a repository and a tag or a digest',
      }),
    ),
    url: Type.Optional(
      webAddress({
        description: 'Another place to download from. Not rewritten by `release.mirror`.',
        examples: ['https://mirror.example.com/calicoctl'],
      }),
    ),
    sha256: Type.Optional(sha256('the download')),
  },
  { description: 'What to take in place of what the channel names.', examples: [{ version: '20.10.24' }] },
);

/** Only known components, so that a misspelt one is told with the nearest. */
const override = Type.Unsafe<Partial<Record<SoftwareName, Static<typeof software>>>>({
  type: 'object',
  description: 'Other versions or places of single components, keyed by component.',
  examples: [{ docker: { version: '20.10.23' } }],
  properties: Object.fromEntries(softwareNames.map((name) => [name, software])),
  additionalProperties: false,
});

const proxy = closed(
  {
    http: Type.Optional(
      webAddress({ description: 'Proxy for http addresses.', examples: ['http://proxy.example.com:3128'] }),
    ),
    https: Type.Optional(
      webAddress({ description: 'Proxy for https addresses.', examples: ['http://proxy.example.com:3128'] }),
    ),
    except: Type.Optional(
      list(
        text({
          description: 'A host, domain or range.',
          examples: ['.example.com'],
          pattern: '^[^\\s,]+$',
          rule: 'one host, domain or range per entry, without commas or spaces',
        }),
        {
          description: 'What is reached without the proxy. The nodes themselves always are.',
          examples: [['.example.com']],
        },
      ),
    ),
  },
  {
    description: 'The proxy that machines, Docker and package managers use.',
    examples: [{ https: 'http://proxy.example.com:3128' }],
  },
);

const details = closed(
  {
    channel: Type.Optional(channel),
    override: Type.Optional(override),
    registry: Type.Optional(
      text({
        description: 'Put before the name of every image.',
        examples: ['registry.example.com/hub'],
        pattern: '^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*$',
        rule: 'a registry prefix is a host, a port if need be, and a path; no scheme, no slash at the end',
      }),
    ),
    mirror: Type.Optional(
      webAddress({
        description:
          'Put in the place of scheme and host of every download: https://github.com/x becomes MIRROR/github.com/x.',
        examples: ['https://mirror.example.com'],
      }),
    ),
    offline: Type.Optional(
      flag({ description: 'Refuse every address outside `registry` and `mirror`.', default: false, examples: [true] }),
    ),
    proxy: Type.Optional(proxy),
    caBundle: Type.Optional(
      filePath({
        description:
          'PEM file with certificate authorities that machines shall trust besides their own; relative to the description.',
        examples: ['../keys/ca.pem'],
      }),
    ),
  },
  {
    description: 'The channel, with what shall differ from it.',
    examples: [{ channel: 'current', registry: 'registry.example.com/hub' }],
  },
);

type Release = Static<typeof channel> | Static<typeof details>;

export const release: TUnsafe<Release> = Type.Unsafe<Release>({
  anyOf: [channel, details],
  description:
    'Which versions go together, and where artifacts come from. The name of a channel, or a map with `channel` and what shall differ.',
  default: 'current',
  examples: [
    'classic',
    { channel: 'current', offline: true, mirror: 'https://mirror.example.com', registry: 'registry.example.com' },
  ],
});
