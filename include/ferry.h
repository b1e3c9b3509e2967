/* SPDX-License-Identifier: MIT */
/*
 * Ferry: everything processes use to talk to each other, behind one handle.
 *
 * Include this header and nothing else.  Each part documents its calls:
 *
 *   <ferry/base.h>     results, deadlines, sentences that explain an error
 *   <ferry/link.h>     open, send, receive, in-place messages, streams
 *   <ferry/mailbox.h>  the named queue: creation, its options, its figures
 *   <ferry/topic.h>    the named broadcast: policies, who was reached
 *   <ferry/signal.h>   signals as messages: what one says
 *   <ferry/fault.h>    faults on purpose, before any address
 *   <ferry/inspect.h>  what exists, who uses it, what is left of the dead
 *
 * Manners that hold for every call: the library prints nothing, never aborts,
 * starts no thread, installs no signal handler, touches neither the umask nor
 * SIGPIPE, opens every descriptor close-on-exec, and leaves errno alone.
 */
#ifndef FERRY_H
#define FERRY_H

#include <ferry/base.h>
#include <ferry/link.h>
#include <ferry/mailbox.h>
#include <ferry/topic.h>
#include <ferry/signal.h>
#include <ferry/fault.h>
#include <ferry/inspect.h>

#endif
