/** What an operator asks for: the strongest form there is, nothing less than the full one, or none. */
export type JailMode = 'auto' | 'require' | 'off';

/** How executor processes are confined, from strongest to weakest. `docs/operations.md` says what each one stops. */
export type JailForm = 'full' | 'namespaces' | 'user' | 'limits' | 'permissions' | 'none';

/** The means that a form consists of. */
export interface JailMeans {
  /** bubblewrap: own mounts, processes, network, IPC, host name; only the executor's files exist. */
  namespaces: boolean;
  /** A system-call filter, which bubblewrap loads. */
  filter: boolean;
  /** prlimit: open files, file size, memory, no core files. */
  limits: boolean;
  /** Node's permission model. */
  permissions: boolean;
  /** A user of the slot's own; only root can give one. */
  user: boolean;
}

/** The means of each form, strongest form first. `user` holds for a server that runs as root. */
export const jailForms: Readonly<Record<JailForm, JailMeans>> = {
  full: { namespaces: true, filter: true, limits: true, permissions: true, user: true },
  namespaces: { namespaces: true, filter: false, limits: true, permissions: true, user: true },
  user: { namespaces: false, filter: false, limits: true, permissions: true, user: true },
  limits: { namespaces: false, filter: false, limits: true, permissions: true, user: false },
  permissions: { namespaces: false, filter: false, limits: false, permissions: true, user: false },
  none: { namespaces: false, filter: false, limits: false, permissions: false, user: false },
};

/** The forms that a server can try, strongest first: one without root has no users to give. */
export function formsToTry(isRoot: boolean): JailForm[] {
  const forms = Object.keys(jailForms) as JailForm[];
  return isRoot ? forms : forms.filter((form) => form !== 'user');
}

/** The means of a form for this server. */
export function meansOf(form: JailForm, isRoot: boolean): JailMeans {
  const means = jailForms[form];
  return { ...means, user: means.user && isRoot };
}
