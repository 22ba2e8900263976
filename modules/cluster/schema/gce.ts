import Type from 'typebox';
import { cidr4, closed, list, named, text, whole } from './words.ts';
import { egress, flatcar } from './flatcar.ts';

const network = closed(
  {
    cidr: Type.Optional(
      cidr4({
        description:
          'Range of the subnetwork, for its whole life. With `name`: the range of that subnetwork, told so that overlaps are found before they hurt. IPv4 CIDR.',
        default: '10.0.0.0/20',
        examples: ['10.0.0.0/20'],
      }),
    ),
    name: Type.Optional(
      text({
        description:
          'An existing VPC network to build in; needs `subnetwork`. `projects/HOST/global/networks/NAME` for a shared VPC.',
        examples: ['default'],
        pattern: '^(projects/[a-z0-9.:-]+/global/networks/)?[a-z]([a-z0-9-]{0,61}[a-z0-9])?$',
        rule: 'a network is named by its name or by projects/PROJECT/global/networks/NAME',
      }),
    ),
    subnetwork: Type.Optional(
      text({
        description: 'An existing subnetwork of `name` in the region.',
        examples: ['default'],
        pattern: '^(projects/[a-z0-9.:-]+/regions/[a-z0-9-]+/subnetworks/)?[a-z]([a-z0-9-]{0,61}[a-z0-9])?$',
        rule: 'a subnetwork is named by its name or by projects/PROJECT/regions/REGION/subnetworks/NAME',
      }),
    ),
    egress: Type.Optional(egress),
  },
  { description: 'The VPC network: a new one, or an existing one by name.', examples: [{ cidr: '10.0.0.0/20' }] },
);

export const gce = closed(
  {
    project: text({
      description: 'Id of the Google Cloud project.',
      examples: ['my-project-123456'],
      pattern: '^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$',
      rule: 'a project id is 6 to 30 lower-case letters, digits and dashes; it is not the display name or number',
    }),
    region: text({
      description: 'The region.',
      examples: ['us-central1'],
      pattern: '^[a-z]+(-[a-z]+)+[0-9]+$',
      rule: 'a region has the form us-central1',
    }),
    zones: list(
      text({
        description: 'A zone of the region.',
        examples: ['us-central1-a'],
        pattern: '^[a-z]+(-[a-z]+)+[0-9]+-[a-z]$',
        rule: 'a zone is the region, a dash and a letter',
      }),
      {
        description: 'The zones to spread machines over, at least one. Masters go round them in this order.',
        examples: [['us-central1-a', 'us-central1-b']],
        minItems: 1,
        uniqueItems: true,
      },
    ),
    network: Type.Optional(network),
    mtu: Type.Optional(
      whole({
        description: 'MTU of the VPC network, bytes, 1300 to 8896. Google Cloud makes networks with 1460.',
        default: 1460,
        examples: [8896],
        minimum: 1300,
        maximum: 8896,
      }),
    ),
    ...flatcar,
    image: Type.Optional(
      text({
        description:
          'An image of your own in place of the newest of `os`: `projects/PROJECT/global/images/NAME` or `…/family/FAMILY`.',
        examples: ['projects/my-project-123456/global/images/flatcar-mirror'],
        pattern: '^(https://\\S+/)?projects/[a-z0-9.:-]+/global/images/(family/)?[a-z0-9-]+$',
        rule: 'an image is named by projects/PROJECT/global/images/NAME',
      }),
    ),
    kmsKey: Type.Optional(
      text({
        description: 'The Cloud KMS key that encrypts disks. Left out: they are encrypted with a key of Google.',
        examples: ['projects/p/locations/us-central1/keyRings/r/cryptoKeys/k'],
        pattern: '^projects/[^/\\s]+/locations/[^/\\s]+/keyRings/[^/\\s]+/cryptoKeys/[^/\\s]+$',
        rule: 'a key is named by projects/PROJECT/locations/PLACE/keyRings/RING/cryptoKeys/KEY',
      }),
    ),
    serviceAccount: Type.Optional(
      text({
        description: 'Service account of all machines. Left out: none, so that no task can get at Google credentials.',
        examples: ['mesos@my-project-123456.iam.gserviceaccount.com'],
        pattern: '^[^@\\s]+@[^@\\s]+$',
        rule: 'a service account is named by its e-mail address',
      }),
    ),
    labels: Type.Optional(
      named(
        text({
          description: 'Value of the label.',
          examples: ['platform'],
          pattern: '^[a-z0-9_-]{0,63}$',
          rule: 'a label value is up to 63 lower-case letters, digits, dashes and underscores',
        }),
        {
          pattern: '^[a-z][a-z0-9_-]*$',
          maxLength: 63,
          rule: 'a label key is 1 to 63 lower-case letters, digits, dashes and underscores, a letter first',
        },
        {
          description:
            'Labels for everything that is created and takes labels that can change, keyed by label key: not for boot disks.',
          examples: [{ team: 'platform' }],
        },
      ),
    ),
  },
  {
    description: 'Flatcar (the successor of CoreOS) on Google Compute Engine.',
    examples: [{ project: 'my-project-123456', region: 'us-central1', zones: ['us-central1-a'] }],
  },
);
