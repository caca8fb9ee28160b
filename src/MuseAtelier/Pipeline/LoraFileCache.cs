using MuseAtelier.Export.Loras;
using MuseAtelier.Export.Storage;

namespace MuseAtelier.Pipeline;

/// <summary>
/// The LoRAs that an engine has opened. A file is opened again when its size or its time has changed. Files that nobody holds stay open up
/// to a number, so that switching between them reads no header. Thread-safe.
/// </summary>
internal sealed class LoraFileCache : IDisposable
{
    private const int MostOpen = 32;

    private readonly Lock _gate = new();
    private readonly List<Entry> _entries = [];
    private bool _disposed;

    /// <summary>Opens a LoRA of a request, and checks its digest if the request names one.</summary>
    /// <param name="lora">The LoRA.</param>
    /// <returns>The hold on the file, which the caller disposes.</returns>
    /// <exception cref="RequestLoraException">The file is missing, or has another digest.</exception>
    /// <exception cref="MuseAtelierException">It is no LoRA for SDXL.</exception>
    public Hold Open(PictureLora lora)
    {
        Hold hold = Take(lora.Path);
        try
        {
            if (lora.Sha256 is { } expected && hold.File.Sha256 != expected)
                throw RequestLoraException.OtherFile(lora.Path, expected, hold.File.Sha256);
            return hold;
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    /// <summary>Opens all LoRAs of a request.</summary>
    public IReadOnlyList<Hold> OpenAll(IReadOnlyList<PictureLora> loras)
    {
        List<Hold> holds = [];
        try
        {
            foreach (PictureLora lora in loras) holds.Add(Open(lora));
            return holds;
        }
        catch
        {
            foreach (Hold hold in holds) hold.Dispose();
            throw;
        }
    }

    /// <summary>Closes the files that nobody holds. Those that are held are closed by their last holder.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            CloseIdle(most: 0);
        }
    }

    private Hold Take(string path)
    {
        // No system has such names, and the framework refuses them with an exception of its own.
        if (path.Contains('\0', StringComparison.Ordinal)) throw RequestLoraException.NoFile(path);
        string full = Path.GetFullPath(path);
        FileInfo info = FinalPath.FileOf(full);
        if (!info.Exists) throw RequestLoraException.NoFile(path);
        var identity = new Identity(full, info.FullName, info.Length, info.LastWriteTimeUtc);
        // Two callers that open the same new file wait for each other, so that it is opened once.
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            Entry? known = _entries.Find(entry => entry.Identity == identity);
            if (known is null) known = new Entry(identity, LoraFile.Open(full));
            else _entries.Remove(known);
            // The entry that was used last is the last one.
            _entries.Add(known);
            known.Holders++;
            CloseIdle(MostOpen);
            return new Hold(this, known);
        }
    }

    private void Release(Entry entry)
    {
        lock (_gate)
        {
            entry.Holders--;
            CloseIdle(_disposed ? 0 : MostOpen);
        }
    }

    private void CloseIdle(int most)
    {
        for (int i = 0; i < _entries.Count && _entries.Count > most;)
        {
            if (_entries[i].Holders > 0)
            {
                i++;
                continue;
            }

            _entries[i].File.Dispose();
            _entries.RemoveAt(i);
        }
    }

    /// <summary>Keeps a file open until it is disposed.</summary>
    internal sealed class Hold(LoraFileCache cache, Entry entry) : IDisposable
    {
        private int _released;

        /// <summary>The file.</summary>
        public LoraFile File => entry.File;

        /// <inheritdoc/>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0) cache.Release(entry);
        }
    }

    /// <summary>An open file.</summary>
    internal sealed class Entry(Identity identity, LoraFile file)
    {
        public Identity Identity => identity;

        public LoraFile File => file;

        public int Holders { get; set; }
    }

    /// <summary>What tells a file from one that replaced it.</summary>
    /// <param name="Path">The path by which it is named.</param>
    /// <param name="Target">The path behind all links.</param>
    /// <param name="Bytes">Its size.</param>
    /// <param name="Written">The time of its last change.</param>
    internal readonly record struct Identity(string Path, string Target, long Bytes, DateTime Written);
}
