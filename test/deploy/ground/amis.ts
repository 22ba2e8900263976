/** The images that moto's regions start with: what Flatcar publishes, as far as our stacks look it up. */
import { createHash } from 'node:crypto';

/** Flatcar's account (typhoon and kops name it, too). */
export const flatcarOwner = '075585003325';

/** An image's name, and when it was published, which decides what is the most recent. */
export type Images = Readonly<Record<string, string>>;

/** An older and a newer one of each of two channels. The versions are real; the dates only have the right order. */
export const flatcar: Images = {
  'Flatcar-stable-4459.2.1-hvm': '2026-01-14T10:00:00.000Z',
  'Flatcar-stable-4593.2.5-hvm': '2026-10-06T10:00:00.000Z',
  'Flatcar-lts-4081.3.6-hvm': '2025-10-01T10:00:00.000Z',
  'Flatcar-lts-4081.3.10-hvm': '2026-09-01T10:00:00.000Z',
  'Flatcar-beta-4628.1.0-hvm': '2026-10-20T10:00:00.000Z',
  'Flatcar-alpha-4653.0.0-hvm': '2026-11-03T10:00:00.000Z',
};

/** The id that an image has: the same in every region, unlike AWS. */
export const amiId = (name: string): string => `ami-${createHash('sha256').update(name).digest('hex').slice(0, 17)}`;

/** The text of the file that MOTO_AMIS_PATH names. */
export const amisJson = (images: Images): string =>
  JSON.stringify(
    Object.entries(images).map(([name, date]) => ({
      ami_id: amiId(name),
      name,
      owner_id: flatcarOwner,
      description: name,
      creation_date: date,
      public: true,
      virtualization_type: 'hvm',
      architecture: 'x86_64',
      state: 'available',
      image_type: 'machine',
      hypervisor: 'xen',
      root_device_name: '/dev/xvda',
      root_device_type: 'ebs',
      sriov: 'simple',
    })),
  );
