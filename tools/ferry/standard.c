/* SPDX-License-Identifier: MIT */
/* See standard.h. */
#include "standard.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

static bool was_closed[STDERR_FILENO + 1];

void standard_fill(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		was_closed[fd] = true;
		/* the lowest that is free: those below are not */
		if (open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			return;
	}
}

void standard_open(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd <= STDERR_FILENO; fd++)
		if (was_closed[fd])
			dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}
