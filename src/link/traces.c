/* SPDX-License-Identifier: MIT */
/* See traces.h. */
#include "link/traces.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"

int ferryi_traces_of_file(struct ferryi_traces *out, const struct stat *st)
{
	out->device = st->st_dev;
	return ferryi_inodes_add(&out->inodes, st->st_ino) ?
		       ferryi_fail(-ENOMEM, "out of memory") :
		       0;
}

int ferryi_sockets_there(const char *scheme, const char *rest, int err,
			 bool found)
{
	if (!err && !found)
		return ferryi_fail(-ENOENT,
				   "%s:%.300s: nobody listens or is bound "
				   "there on this machine",
				   scheme, rest);
	return err ? ferryi_fail_sys(-err,
				     "%s:%.300s: the kernel does not tell "
				     "which sockets there are: %s",
				     scheme, rest, strerror(-err)) :
		     0;
}

int ferryi_traces_of_sockets(struct ferryi_traces *out, const char *scheme,
			     const char *rest, int err)
{
	if (!err && out->inodes.n)
		err = ferryi_sockets_device(&out->device);
	return ferryi_sockets_there(scheme, rest, err, out->inodes.n != 0);
}
