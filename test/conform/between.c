/* SPDX-License-Identifier: MIT */
/* What happens between two system calls of the library: this connect(2) is found
 * before that of the C library. */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conform.h"

void (*before_connect)(void);

__attribute__((visibility("default"))) int connect(int fd,
						   const struct sockaddr *to,
						   socklen_t size)
{
	void (*hook)(void) = before_connect;

	before_connect = NULL;
	if (hook)
		hook();
	return (int)syscall(SYS_connect, fd, to, size);
}
