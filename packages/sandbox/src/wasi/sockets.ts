import type { HostContext } from './context';
import { errno } from './errno';

/** There are no sockets: an open descriptor is `notsock`, any other number `badf`. */
export function socketFunctions({ descriptors }: HostContext) {
  const refuse = (fd: number): number => {
    descriptors.get(fd);
    return errno.notsock;
  };
  return { sock_accept: refuse, sock_recv: refuse, sock_send: refuse, sock_shutdown: refuse };
}
