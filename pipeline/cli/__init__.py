"""The command line: parses options, calls other rooms, and reports an error in one line and by the exit code.

One file holds one command or one group of commands; `main` lists them all. To add an option to one command,
declare it in the command's file under a heading. To add one that several commands share, declare it in
`options`. Either way its value arrives in the field of the same name of the command's options class, such as
`InferOptions`.
"""
