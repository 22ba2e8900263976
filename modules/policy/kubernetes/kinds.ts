/** The kinds of Kubernetes' objects that say something of policy, and those that do not. */

/** Versions by kind, of what makes pods of a template, and the way to the template. */
interface Templated {
  readonly versions: readonly string[];
  readonly way: readonly string[];
}

const apps = ['apps/v1', 'apps/v1beta2'];
const template = ['spec', 'template'];

export const templated: ReadonlyMap<string, Templated> = new Map([
  ['ReplicationController', { versions: ['v1'], way: template }],
  ['ReplicaSet', { versions: [...apps, 'extensions/v1beta1'], way: template }],
  ['Deployment', { versions: [...apps, 'apps/v1beta1', 'extensions/v1beta1'], way: template }],
  ['DaemonSet', { versions: [...apps, 'extensions/v1beta1'], way: template }],
  ['StatefulSet', { versions: [...apps, 'apps/v1beta1'], way: template }],
  ['Job', { versions: ['batch/v1', 'extensions/v1beta1'], way: template }],
  ['CronJob', { versions: ['batch/v1', 'batch/v1beta1', 'batch/v2alpha1'], way: ['spec', 'jobTemplate', ...template] }],
  // The name of StatefulSet in Kubernetes 1.3 and 1.4.
  ['PetSet', { versions: ['apps/v1alpha1'], way: template }],
]);

/** They say nothing of policy. A kind that stands nowhere here may do so, and is refused. */
export const passedOver: readonly string[] = [
  ...['Service', 'Endpoints', 'EndpointSlice', 'Ingress', 'IngressClass', 'ConfigMap', 'Secret', 'ServiceAccount'],
  ...['Node', 'Event', 'PersistentVolume', 'PersistentVolumeClaim', 'StorageClass', 'LimitRange', 'ResourceQuota'],
  ...['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding', 'HorizontalPodAutoscaler', 'PodDisruptionBudget'],
  ...['PriorityClass', 'CustomResourceDefinition', 'ThirdPartyResource', 'ControllerRevision', 'PodTemplate'],
  ...['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration', 'APIService', 'Lease', 'RuntimeClass'],
];
