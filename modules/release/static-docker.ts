import { compare } from './version.ts';

const always = ['docker', 'dockerd', 'docker-init', 'docker-proxy'];

/**
 * The programs in the `docker/` folder of a static build that its daemon needs. containerd lost its prefix with 18.09 and
 * got another shim with 20.10. Source: docker-ce-packaging and moby at each version; compared with no download here [D].
 */
export function staticPrograms(version: string): readonly string[] {
  if (compare(version, '18.09') < 0) {
    return [...always, 'docker-containerd', 'docker-containerd-shim', 'docker-containerd-ctr', 'docker-runc'];
  }
  const shim = compare(version, '20.10') < 0 ? 'containerd-shim' : 'containerd-shim-runc-v2';
  return [...always, 'containerd', shim, 'ctr', 'runc'];
}
