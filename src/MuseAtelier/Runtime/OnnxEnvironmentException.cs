namespace MuseAtelier;

/// <summary>ONNX Runtime does not start, although its library is loaded.</summary>
public sealed class OnnxEnvironmentException : MuseAtelierException
{
    internal OnnxEnvironmentException(Exception inner)
        : base(
            $"ONNX Runtime does not start ({inner.Message.TrimEnd('.')})",
            "a process that may start threads and take memory",
            "Raise the limits of tasks and of memory of the container or the shell (pids.max, ulimit -u, ulimit -v, ulimit -d); "
                + "'muse doctor' shows them.",
            inner)
    {
    }
}
