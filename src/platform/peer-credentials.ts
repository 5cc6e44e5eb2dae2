// Who is at the other end of a connected unix socket, as the kernel tells it. The answer is that of the
// moment of connect(2): it stays true when the peer has ended, and cannot be forged without root.

import type { Socket } from 'node:net';
import { loadNative, type Native } from './native.ts';
import { PlatformError } from './platform-error.ts';

/** Numbers of the peer's process: effective user, effective group, process. */
export type PeerCredentials = { uid: number; gid: number; pid: number };

/** From the headers of Linux; the same on every architecture that Node runs on but for ppc64. */
const linuxSocketLevel = 1;
const linuxPeerCredentials = process.arch === 'ppc64' ? 21 : 17;
/** From sys/un.h of macOS. */
const darwinLocalLevel = 0;
const darwinPeerPid = 2;

/**
 * Asks the kernel; takes microseconds. Call it in the handler of 'connection', where the socket is surely open.
 * The process may have ended meanwhile, and its number may be another's.
 * Throws a PlatformError: PEER_UNKNOWN for a socket that is closed, not yet connected or no unix socket;
 * NATIVE_UNAVAILABLE where the question cannot be asked.
 */
export function peerOf(socket: Socket): PeerCredentials {
  const native = loadNative();
  const fd = fileDescriptorOf(socket);
  if (process.platform === 'linux') return peerOnLinux(native, fd);
  if (process.platform === 'darwin') return peerOnDarwin(native, fd);
  throw new PlatformError('NATIVE_UNAVAILABLE', `on ${process.platform} a socket does not tell its peer`);
}

/** Node has no public way to a socket's descriptor; its handle has had this field since the beginning. */
function fileDescriptorOf(socket: Socket): number {
  const handle = (socket as unknown as { _handle?: { fd?: number } | null })._handle;
  const fd = handle?.fd;
  if (fd === undefined || fd < 0) throw unknownPeer('the socket is closed');
  return fd;
}

function peerOnLinux(native: Native, fd: number): PeerCredentials {
  // struct ucred { pid_t pid; uid_t uid; gid_t gid; }, each of 32 bits.
  const credentials = new Int32Array(3);
  askSocket(native, { fd, level: linuxSocketLevel, option: linuxPeerCredentials, value: credentials });
  const [pid = 0, uid = -1, gid = -1] = credentials;
  // A socket of another family or without a peer answers pid 0 and uid -1 instead of an error.
  if (pid === 0 || uid === -1) throw unknownPeer('the socket has no peer on this machine');
  return { uid: uid >>> 0, gid: gid >>> 0, pid };
}

function peerOnDarwin(native: Native, fd: number): PeerCredentials {
  const uid = new Uint32Array(1);
  const gid = new Uint32Array(1);
  if (native.getpeereid === undefined || native.getpeereid(fd, uid, gid) !== 0) {
    throw unknownPeer(native.lastErrorName());
  }
  const pid = new Int32Array(1);
  askSocket(native, { fd, level: darwinLocalLevel, option: darwinPeerPid, value: pid });
  return { uid: uid[0] ?? 0, gid: gid[0] ?? 0, pid: pid[0] ?? 0 };
}

function askSocket(
  native: Native,
  question: { fd: number; level: number; option: number; value: Int32Array<ArrayBuffer> },
): void {
  const bytes = Buffer.from(question.value.buffer);
  const length = Uint32Array.of(bytes.length);
  if (native.getsockopt(question.fd, question.level, question.option, bytes, length) !== 0) {
    throw unknownPeer(native.lastErrorName());
  }
  if (length[0] !== bytes.length) throw unknownPeer(`the kernel answered with ${length[0]} bytes`);
}

function unknownPeer(reason: string): PlatformError {
  return new PlatformError('PEER_UNKNOWN', `the system does not say who is at the other end: ${reason}`, {
    details: { reason },
  });
}
