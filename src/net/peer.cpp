#include "net/peer.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace chatmem {

bool peer_has_all(int socket) {
  int unacknowledged = 0, failure = 0;
  socklen_t size = sizeof failure;
  return ::ioctl(socket, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0 &&
         ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0;
}

}  // namespace chatmem
