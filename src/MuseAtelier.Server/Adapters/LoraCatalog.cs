using System.Diagnostics;
using MuseAtelier.Adapters;

namespace MuseAtelier.Server.Adapters;

/// <summary>
/// The LoRAs in the folders that the server's owner names. A client names one by its name, never by a path. The folders are listed again
/// when a client asks for the list or names what is not there, at most once in two seconds, or at once on demand; the headers of files that
/// have not changed are not read again. Members may be called from any thread.
/// </summary>
/// <param name="options">Has the folders.</param>
internal sealed class LoraCatalog(ServerOptions options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly LoraFolder _folder = new(options.Atelier.LoraFolders);
    private readonly FileDigests _digests = new();
    private Dictionary<string, (FileStamp Stamp, ListedLora Lora)> _known = new(StringComparer.Ordinal);
    private IReadOnlyList<ListedLora> _listed = [];
    private long? _listedAt;

    /// <summary>The folders.</summary>
    public IReadOnlyList<string> Folders => _folder.Paths;

    /// <summary>Whether there is any folder.</summary>
    public bool HasFolders => _folder.Paths.Count > 0;

    /// <summary>All LoRAs in the order of their names. Of several files of one name, the one that the name means.</summary>
    /// <exception cref="ServerRequestException">A folder cannot be read.</exception>
    public IReadOnlyList<ListedLora> All()
    {
        lock (_gate)
        {
            bool isFresh = _listedAt is { } at && Stopwatch.GetElapsedTime(at) < Patience;
            return isFresh || !HasFolders ? _listed : List();
        }
    }

    /// <summary>Lists the folders again, and returns all.</summary>
    /// <exception cref="ServerRequestException">A folder cannot be read.</exception>
    public IReadOnlyList<ListedLora> Refresh()
    {
        lock (_gate) return HasFolders ? List() : _listed;
    }

    /// <summary>The LoRA that a client names, with its digest.</summary>
    /// <param name="name">The name, or the alias.</param>
    /// <param name="field">The field that names it.</param>
    /// <exception cref="ServerRequestException">There is none, it cannot be used, or the name is a path.</exception>
    public PictureLora Find(string name, string field)
    {
        if (name.AsSpan().ContainsAny('/', '\\') || name is "." or "..")
        {
            throw Problems.BadValue(
                field, "the name has a path", "a name of GET /api/v1/loras, without folders and extension", "Leave the folder out.");
        }

        List<string> notices = [];
        LoraEntry entry = LoraProblems.Guard(field, () => _folder.Find(name, notices));
        if (Describe(entry).Problem is { } problem)
            throw new ServerRequestException(422, problem with { Field = field });
        return Pin(new PictureLora { Path = entry.Path });
    }

    /// <summary>
    /// The LoRA of a record or of a job, which is known by its name and its digest: the file of that name, wherever it is now.
    /// </summary>
    /// <exception cref="ServerRequestException">There is none of that name, or it is another file.</exception>
    public PictureLora Again(PictureLora lora)
    {
        string name = lora.Name;
        bool isSame = !lora.IsReference && lora.Sha256 is { } recorded && _digests.Of(lora.Path) == recorded && IsListed(lora.Path);
        if (isSame) return lora;
        LoraEntry[] matches = [.. LoraProblems.Guard(LoraFieldNames.List, () => _folder.Matches(name))];
        if (matches.Length == 0) throw LoraProblems.Missing(name);
        LoraEntry? same = lora.Sha256 is { } digest
            ? Array.FindLast(matches, match => _digests.Of(match.Path) == digest)
            : matches[^1];
        return same is null ? throw LoraProblems.Changed(name) : Pin(lora with { Path = same.Path, IsReference = false });
    }

    /// <summary>
    /// A request whose prompts' tags are LoRAs of the folders, each with the digest of its file, so that it is painted the same later or
    /// not at all.
    /// </summary>
    /// <exception cref="ServerRequestException">A tag cannot be read, or names no LoRA.</exception>
    public PictureRequest Resolve(PictureRequest request)
    {
        PictureRequest resolved = LoraProblems.Guard("prompt", () => LoraPrompts.Resolve(request, _folder).Request);
        if (ReferenceEquals(resolved, request)) return request;
        HiresPass? pass = resolved.Hires is { Loras: { } later } hires ? hires with { Loras = [.. later.Select(Pin)] } : resolved.Hires;
        return resolved with { Loras = [.. resolved.Loras.Select(Pin)], Hires = pass };
    }

    /// <summary>What the tags of a prompt mean, in sentences; none if all of them are LoRAs of the folders.</summary>
    public IReadOnlyList<string> NoticesOf(string prompt, PromptSyntax syntax)
    {
        if (!HasFolders || syntax != PromptSyntax.A1111) return [];
        try
        {
            return LoraPrompts.Resolve(new PictureRequest { Prompt = prompt, PromptSyntax = syntax }, _folder).Notices;
        }
        catch (LoraNotFoundException exception)
        {
            return [$"The prompt names the LoRA '{exception.Name}', which the server's folders do not have."];
        }
        catch (LoraTagException exception)
        {
            return [$"The prompt has a tag of a LoRA that cannot be read: {exception.Tag}"];
        }
        catch (LoraFolderException)
        {
            return [];
        }
    }

    private PictureLora Pin(PictureLora lora) => lora.Sha256 is not null
        ? lora
        : lora with { Sha256 = _digests.Of(lora.Path) ?? throw LoraProblems.Missing(lora.Name) };

    private bool IsListed(string path) =>
        LoraProblems.Guard(LoraFieldNames.List, () => _folder.Current).Entries.Any(entry => entry.Path == path);

    private IReadOnlyList<ListedLora> List()
    {
        IReadOnlyList<LoraEntry> entries = LoraProblems.Guard(LoraFieldNames.List, _folder.Refresh).Entries;
        LoraEntry[] named = [.. entries.GroupBy(entry => entry.Name, StringComparer.Ordinal).Select(same => same.Last())];
        // Reading thousands of headers takes seconds on one core.
        (string Path, FileStamp Stamp, ListedLora Lora)[] read =
        [
            .. named.AsParallel().AsOrdered()
                .Select(entry => (entry.Path, Stamp: FileStamp.Of(entry.Path), Entry: entry))
                .Where(file => file.Stamp is not null)
                .Select(file => (file.Path, file.Stamp!.Value, Describe(file.Entry, file.Stamp.Value))),
        ];
        _known = read.ToDictionary(file => file.Path, file => (file.Stamp, file.Lora), StringComparer.Ordinal);
        _listed = [.. read.Select(file => file.Lora).OrderBy(lora => lora.Name, StringComparer.OrdinalIgnoreCase)];
        _listedAt = Stopwatch.GetTimestamp();
        return _listed;
    }

    private ListedLora Describe(LoraEntry entry)
    {
        FileStamp stamp = FileStamp.Of(entry.Path) ?? throw LoraProblems.Missing(entry.Name);
        return Describe(entry, stamp);
    }

    private ListedLora Describe(LoraEntry entry, FileStamp stamp) =>
        _known.TryGetValue(entry.Path, out (FileStamp Stamp, ListedLora Lora) known) && known.Stamp == stamp
            ? known.Lora
            : LoraReading.Of(entry, stamp.Bytes);
}
