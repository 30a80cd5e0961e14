// What the kernel knows of the other end of a TCP connection.
#pragma once

namespace chatmem {

// Whether the other end's system has acknowledged all that was written to the socket, and has not
// reset the connection since, as it does when the program closes it with bytes unread.
bool peer_has_all(int socket);

}  // namespace chatmem
