namespace MuseAtelier.Export;

/// <summary>Reports the progress of an export about two hundred times.</summary>
/// <param name="total">Bytes of all weights.</param>
/// <param name="progress">Receives the progress; null if nobody is told.</param>
internal sealed class ExportReport(long total, IProgress<ExportProgress>? progress)
{
    private long _done;
    private long _reported;

    /// <summary>The name of what is being written.</summary>
    public string Phase { get; set; } = "";

    /// <summary>Counts bytes that were written.</summary>
    public void Written(long bytes)
    {
        _done += bytes;
        if (_done - _reported < total / 200) return;
        _reported = _done;
        progress?.Report(new ExportProgress(Phase, Math.Min(1, (double)_done / total), _done));
    }

    /// <summary>Reports that everything is done.</summary>
    public void Done() => progress?.Report(new ExportProgress("done", 1, _done));
}
