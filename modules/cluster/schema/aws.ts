import Type from 'typebox';
import { cidr4, closed, list, named, text } from './words.ts';
import { egress, flatcar } from './flatcar.ts';

const zone = text({
  description: 'An availability zone of the region.',
  examples: ['us-west-2a'],
  pattern: '^[a-z]{2}(-[a-z0-9]+)+[a-z]$',
  rule: 'a zone is the region and a letter',
});

const network = closed(
  {
    cidr: Type.Optional(
      cidr4({
        description:
          'Range of the VPC, for its whole life, cut into one subnet per zone. With `vpc`: the range of that VPC, told so that overlaps are found before they hurt. IPv4 CIDR, /16 to /24.',
        default: '10.0.0.0/16',
        examples: ['10.0.0.0/16'],
      }),
    ),
    vpc: Type.Optional(
      text({
        description:
          'An existing VPC to build in; needs `subnets`. Nothing in it is renamed, tagged or changed but what the kit adds.',
        examples: ['vpc-0a1b2c3d4e5f67890'],
        pattern: '^vpc-[0-9a-f]{8,17}$',
        rule: 'a VPC id is vpc- and 8 to 17 hexadecimal digits',
      }),
    ),
    subnets: Type.Optional(
      named(
        text({
          description: 'Id of the subnet for the machines of this zone.',
          examples: ['subnet-0a1b2c3d4e5f67890'],
          pattern: '^subnet-[0-9a-f]{8,17}$',
          rule: 'a subnet id is subnet- and 8 to 17 hexadecimal digits',
        }),
        { pattern: '^[a-z]{2}(-[a-z0-9]+)+[a-z]$', maxLength: 32, rule: 'subnets are keyed by zone' },
        {
          description: 'Existing subnets of `vpc`, keyed by zone; one for each of `zones`.',
          examples: [{ 'us-west-2a': 'subnet-0a1b2c3d4e5f67890' }],
          minProperties: 1,
        },
      ),
    ),
    egress: Type.Optional(egress),
  },
  { description: 'The VPC: a new one, or an existing one by its ids.', examples: [{ cidr: '10.0.0.0/16' }] },
);

export const aws = closed(
  {
    region: text({
      description: 'The AWS region.',
      examples: ['us-west-2'],
      pattern: '^[a-z]{2}(-[a-z]+)+-[0-9]$',
      rule: 'a region has the form us-west-2',
    }),
    zones: list(zone, {
      description: 'The availability zones to spread machines over, at least one. Masters go round them in this order.',
      examples: [['us-west-2a', 'us-west-2b']],
      minItems: 1,
      uniqueItems: true,
    }),
    network: Type.Optional(network),
    ...flatcar,
    image: Type.Optional(
      text({
        description: 'An AMI of your own in place of the newest of `os`.',
        examples: ['ami-0a1b2c3d4e5f67890'],
        pattern: '^ami-[0-9a-f]{8,17}$',
        rule: 'an image id is ami- and 8 to 17 hexadecimal digits',
      }),
    ),
    kmsKey: Type.Optional(
      text({
        description: 'The KMS key that encrypts volumes. Left out: they are encrypted with the key of the account.',
        examples: ['alias/mesos'],
        pattern: '^(alias/[a-zA-Z0-9/_-]+|arn:aws[a-z-]*:kms:\\S+|[0-9a-f-]{36})$',
        rule: 'a key is named by alias/NAME, by its ARN or by its id',
      }),
    ),
    instanceProfile: Type.Optional(
      text({
        description:
          'Name of an instance profile for all machines. Left out: none, so that no task can get at AWS credentials.',
        examples: ['mesos-agent'],
        pattern: '^[\\w+=,.@-]{1,128}$',
        rule: 'a profile name is 1 to 128 letters, digits and _+=,.@-',
      }),
    ),
    tags: Type.Optional(
      named(
        Type.String({ description: 'Value of the tag.', examples: ['platform'], maxLength: 256 }),
        {
          pattern: '^(?!aws:)[\\w .:/=+@-]+$',
          maxLength: 128,
          rule: 'a tag key is 1 to 128 characters and does not begin with aws:',
        },
        { description: 'Tags for everything that is created, keyed by tag key.', examples: [{ team: 'platform' }] },
      ),
    ),
  },
  {
    description: 'Flatcar (the successor of CoreOS) on Amazon EC2.',
    examples: [{ region: 'us-west-2', zones: ['us-west-2a', 'us-west-2b'] }],
  },
);
