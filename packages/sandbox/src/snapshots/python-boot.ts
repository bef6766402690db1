/**
 * The Python side of snapshots. The boot program runs in a fresh interpreter: it loads what most scripts load, defines the
 * function that serves a session, says where it is, and asks for the time, which is the moment the memory is copied (a call
 * of the host during which the interpreter's lock is held).
 *
 * Two calls have another meaning at these moments, because they exist in every build and nothing of the session can get in
 * between: what the boot program writes to standard output is its report, and the first random bytes in `serve` are the
 * request: its length in four bytes, then its marshalled content.
 *
 * A request of the kind `d` makes a daemon: modules of an application are imported, and the copy is taken anew, at the first
 * look at the clock behind a mark (so many yields in a row as nobody else asks for). Sessions from that copy find the modules
 * loaded, and search path and streams as they were left.
 *
 * `serve` makes the copy behave like an interpreter started for this session: arguments, environment, search path and
 * streams are set up as CPython does it (`Modules/main.c`, `Lib/site.py`), then the program runs as `__main__` in a module
 * of its own, and the end follows `Py_FinalizeEx`: exit functions, flushing, the session's objects torn down.
 */

/** Loaded ahead because most scripts need some of them and loading is slow. All are free of state, or `serve` resets it. */
const preloaded = [
  'base64 bisect collections contextlib copy csv datetime functools hashlib heapq io itertools json math operator',
  'os random re string struct textwrap time traceback',
].join(' ');

/** So many times the interpreter yields before the look at the clock that is the moment to copy. */
export const copyMark = 29;

const program = `
import sys, os, io, marshal, gc, atexit, time
from _weakref import ref as reference
known = sys.modules
started = frozenset(known) - {'atexit', 'marshal'}
for name in PRELOADED.split():
    try:
        __import__(name)
    except ImportError:
        pass
extra = tuple(name for name in known if name not in started)
loaded = frozenset(known)
tops = frozenset(name.partition('.')[0] for name in extra)
external = known['_frozen_importlib_external']
FileFinder, SourceFileLoader = external.FileFinder, external.SourceFileLoader
Module = type(sys)
fresh = {k: known['__main__'].__dict__[k] for k in
         ('__name__', '__doc__', '__package__', '__loader__', '__spec__', '__annotations__', '__builtins__')}
standard = sys.path[1:]
site = known.get('site')
packages = tuple(site.getsitepackages()) if site else ()
random, sysmodule = known.get('random'), sys
TextIOWrapper, BufferedWriter, BufferedRandom, opener, open_code = \\
    io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom, io.open, io.open_code
yield_now, now = os.sched_yield, time.time
read, urandom, listdir, leave, isdir, abspath = os.read, os.urandom, os.listdir, os._exit, os.path.isdir, os.path.abspath
environ, collect, objects, loads = os.environ, gc.collect, gc.get_objects, marshal.loads
run_exit_functions = atexit._run_exitfuncs
streams = [(fd, old.name, old.mode, old.encoding, old.errors) for fd, old in enumerate((sys.stdin, sys.stdout, sys.stderr))]

def read_all(fd):
    parts = []
    while part := read(fd, 1 << 20):
        parts.append(part)
    return b''.join(parts)

def open_stream(fd, name, mode, encoding, errors):
    buffered = opener(fd, mode + 'b', -1, closefd=False)
    buffered.raw.name = name
    line = fd == 2 or buffered.raw.isatty()
    stream = TextIOWrapper(buffered, encoding, errors, '\\n', line, False)
    stream.mode = mode
    return stream

def forget_preloaded():
    for name in extra:
        known.pop(name, None)

def shadows(directory):
    try:
        names = listdir(directory or '.')
    except OSError:
        return True
    return any(name.partition('.')[0] in tops for name in names)

def set_paths(first, plain, variables):
    paths = []
    for path in variables.get('PYTHONPATH', '').split(':') if variables.get('PYTHONPATH') else ():
        path = abspath(path)
        if path not in paths:
            paths.append(path)
    sys.path[:] = [first] + paths + [path for path in standard if path not in paths]
    if plain:
        return
    cache = sys.path_importer_cache
    for path, finder in list(cache.items()):
        if finder is None:
            del cache[path]
        elif isinstance(finder, FileFinder):
            finder.invalidate_caches()
    if shadows(first) or any(shadows(path) for path in paths):
        forget_preloaded()
    home = variables.get('HOME')
    user = home and site and site.getusersitepackages()
    sites = [path for path in packages if isdir(path)]
    if user and isdir(user):
        sites.insert(0, user)
    if site and (sites or paths):
        first = sys.path.pop(0)
        for path in sites:
            site.addsitedir(path)
        site.execsitecustomize()
        if site.ENABLE_USER_SITE:
            site.execusercustomize()
        sys.path.insert(0, first)

def forget_listings():
    for finder in sys.path_importer_cache.values():
        if isinstance(finder, FileFinder):
            finder.invalidate_caches()

def make_daemon(names):
    global prepared, loaded
    for name in names.split():
        __import__(name)
    flush_streams(0, False)
    known.pop('__main__', None)
    loaded, prepared = frozenset(known), True
    collect()
    gc.freeze()
    for count in range(COPY_MARK):
        yield_now()
    now()

def set_variables(pairs):
    for name, value in pairs:
        try:
            environ[name] = value
        except ValueError:
            pass
    posix = known.get('posix')
    if posix:
        posix.environ.update(environ._data)

def visible(error):
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == '<zerocloud>':
        trace = trace.tb_next
    error.__traceback__ = trace
    return type(error), error, trace

def complain(text):
    if getattr(sys, 'stderr', None) is not None:
        sys.stderr.write(text)

def exit_status(error):
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        if -0x80000000 <= code < 0x80000000:
            return int(code)
        if sys.version_info >= (3, 12):
            complain('OverflowError: Python int too large to convert to C long\\n')
        return -1
    complain(str(code) + '\\n')
    return 1

def show(error):
    shown = sys.last_type, sys.last_value, sys.last_traceback = visible(error)
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    hook = getattr(sys, 'excepthook', None)
    if hook is None:
        complain('sys.excepthook is missing\\n')
        hook = sys.__excepthook__
    try:
        hook(*shown)
    except SystemExit as end:
        return exit_status(end)
    except BaseException as second:
        complain('Error in sys.excepthook:\\n')
        sys.__excepthook__(*visible(second))
        complain('\\nOriginal exception was:\\n')
        sys.__excepthook__(*shown)
    return 130 if isinstance(error, KeyboardInterrupt) else 1

def flush_streams(status, last):
    for name in ('stdout', 'stderr'):
        stream = getattr(sys, name, None)
        if stream is None or getattr(stream, 'closed', False):
            continue
        try:
            stream.flush()
        except BaseException as error:
            status = 120
            if name == 'stdout' and not last:
                try:
                    complain('Exception ignored in: %r\\n%s: %s\\n' % (stream, type(error).__qualname__, error))
                except BaseException:
                    pass
    return status

def tear_down():
    for name in ('stdin', 'stdout', 'stderr'):
        setattr(sys, name, getattr(sys, '__' + name + '__', None))
    for name in ('last_type', 'last_value', 'last_traceback', 'last_exc'):
        sys.__dict__.pop(name, None)
    alive = []
    for name in [name for name in known if name not in loaded or name == '__main__']:
        module = known.pop(name)
        if isinstance(module, Module):
            alive.append(reference(module))
    module = None
    # As the interpreter: what only the modules held goes first, with their contents intact.
    collect()
    alive = [module for module in [get() for get in reversed(alive)] if module is not None]
    if alive:
        for module in alive:
            content = module.__dict__
            for private in (True, False):
                for key in list(content):
                    if (key[:1] == '_' and key[1:2] != '_') == private and key != '__builtins__':
                        content[key] = None
        alive = module = content = None
        collect()
    for thing in objects():
        kind = type(thing)
        if (kind is TextIOWrapper or kind is BufferedWriter or kind is BufferedRandom) and not thing.closed:
            try:
                thing.flush()
            except BaseException:
                pass

def run_program(kind, target, main):
    if kind == 'm':
        __import__('runpy')._run_module_as_main(target)
        return
    if kind == 'f':
        main.update(__file__=target, __cached__=None, __loader__=SourceFileLoader('__main__', target))
        with open_code(target) as file:
            source = file.read()
    elif kind == 'i':
        source, target = read_all(0), '<stdin>'
        main.update(__file__=target, __cached__=None, __loader__=SourceFileLoader('__main__', target))
    else:
        source, target = target, '<string>'
    exec(compile(source, target, 'exec', 0, True), main)

def serve():
    try:
        kind, target, first, plain, argv, original, pairs = loads(urandom(int.from_bytes(urandom(4), 'little')))
        sys.argv[:], sys.orig_argv[:] = argv, original
        if not prepared:
            sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__ = \\
                [open_stream(*stream) for stream in streams]
        if random:
            random.seed()
        set_variables(pairs)
        main = Module('__main__')
        main.__dict__.update(fresh)
        known['__main__'] = main
        main = main.__dict__
        status, failure = 0, None
        try:
            if prepared:
                forget_listings()
            else:
                set_paths(first, plain, dict(pairs))
            if kind == 'd':
                make_daemon(target)
            run_program(kind, target, main)
        except SystemExit as end:
            status = exit_status(end)
        except BaseException as error:
            failure = error
        main = None
        if failure is not None:
            status = show(failure)
            failure = None
        threading = known.get('threading')
        if threading:
            threading._shutdown()
        run_exit_functions()
        status = flush_streams(status, False)
        tear_down()
        leave(flush_streams(status, True))
    except BaseException as error:
        sysmodule.__excepthook__(type(error), error, error.__traceback__)
    leave(1)

prepared = False
del name
collect()
gc.freeze()
os.write(1, b'%d %d' % (id(serve), id(())))
time.time()
`;

/** What `python -c` gets. The namespace has a copy of the builtins, so that no script can take them away. */
export const bootProgram = [
  `exec(compile(${JSON.stringify(program)}, '<zerocloud>', 'exec'),`,
  `{'__name__': 'zerocloud', 'PRELOADED': ${JSON.stringify(preloaded)}, 'COPY_MARK': ${copyMark},`,
  "'__builtins__': dict(__builtins__.__dict__)})",
].join(' ');
