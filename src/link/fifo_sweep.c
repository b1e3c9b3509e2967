/* SPDX-License-Identifier: MIT */
/*
 * The two FIFOs that a client makes for its connection have names only until it is
 * accepted.  A client that is killed before leaves them, and so may a server that is
 * killed while it accepts.  Who comes next, to connect or to listen, removes them.
 *
 * Whether somebody still needs them is asked of a lock, not of time: the client has
 * one on the FIFO that it reads, and who accepts has one on the other before the
 * client's loses its name.  The kernel drops both with their holders.  Names are made
 * and swept under a lock on the directory, so that none is met between its making and
 * its lock.
 */
#include <errno.h>

#include "link/fifo.h"
#include "sys/fifos.h"
#include "sys/files.h"

/* Has somebody locked it?  What may not be looked at is left alone. */
static bool is_held(int dir, uint64_t number, int which)
{
	char name[FERRYI_ANNOUNCED_NAME];
	int fd, err;

	ferryi_announced_name(name, number, which);
	fd = ferryi_fifo_open(dir, name, false);
	if (fd < 0)
		return fd != -ENOENT;
	err = ferryi_fifo_lock_try(fd);
	ferryi_close(fd);
	return err != 0;
}

static int sweep(const char *name, void *arg)
{
	int dir = *(int *)arg;
	uint64_t number;

	/* In this order: the server's lock comes before the client's name goes. */
	if (ferryi_announced_number(name, &number) &&
	    !is_held(dir, number, FERRYI_TO_CLIENT) &&
	    !is_held(dir, number, FERRYI_TO_SERVER))
		ferryi_unlink(dir, name);
	return 0;
}

void ferryi_fifo_sweep(int dir)
{
	ferryi_each_name(dir, sweep, &dir);
}
