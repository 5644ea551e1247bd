/* The two attributes that every header of Turnout uses. */
#ifndef TURNOUT_ATTR_H
#define TURNOUT_ATTR_H

/* The result says whether it worked; ignoring it is a bug. */
#define MUSTCHECK __attribute__((warn_unused_result))

/* Argument fmt is a printf format for the arguments from first on. */
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

#define NORETURN __attribute__((noreturn))

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

#endif
