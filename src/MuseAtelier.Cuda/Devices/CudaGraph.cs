using MuseAtelier.Cuda.Native;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>A run that was captured from a stream as a CUDA graph, to be launched as one piece.</summary>
internal sealed unsafe class CudaGraph : CapturedRun
{
    private readonly CudaStream _stream;
    private readonly int _card;
    private nint _executable;

    private CudaGraph(CudaStream stream, int card, nint executable, int nodes)
    {
        (_stream, _card, _executable) = (stream, card, executable);
        Nodes = nodes;
    }

    /// <summary>Number of kernels and copies in the run.</summary>
    public int Nodes { get; }

    /// <summary>Captures the work that a run queues on a stream, without executing it.</summary>
    /// <param name="stream">The stream; borrowed for the graph's life.</param>
    /// <param name="card">The stream's card.</param>
    /// <param name="run">Queues the work on the stream.</param>
    /// <exception cref="MuseAtelierException">The run, or a call of CUDA, failed; the stream is as before.</exception>
    /// <exception cref="CudaCaptureException">The captured work cannot be repeated.</exception>
    public static CudaGraph Capture(CudaStream stream, int card, Action run)
    {
        // The mode must be relaxed, because ONNX Runtime may allocate memory during the capture and other threads may make any call.
        int begun = CudaRuntime.StreamBeginCapture(stream.Handle, CudaRuntime.CaptureModeRelaxed);
        CudaRuntime.Check(begun, nameof(CudaRuntime.StreamBeginCapture));
        nint graph = 0;
        try
        {
            int ended;
            try
            {
                run();
            }
            finally
            {
                ended = CudaRuntime.StreamEndCapture(stream.Handle, out graph);
            }

            CudaRuntime.Check(ended, nameof(CudaRuntime.StreamEndCapture));
            int nodes = CheckNodes(graph);
            int instantiated = CudaRuntime.GraphInstantiate(out nint executable, graph, CudaRuntime.GraphAutoFreeOnLaunch);
            CudaRuntime.Check(instantiated, nameof(CudaRuntime.GraphInstantiate));
            return new CudaGraph(stream, card, executable, nodes);
        }
        finally
        {
            if (graph != 0) CudaRuntime.Ignore(CudaRuntime.GraphDestroy(graph));
            // A failed capture leaves its error behind, which the next call of any library would otherwise report as its own.
            CudaRuntime.Ignore(CudaRuntime.GetLastError());
        }
    }

    public override void Launch() =>
        CudaRuntime.Check(CudaRuntime.GraphLaunch(_executable, _stream.Handle), nameof(CudaRuntime.GraphLaunch));

    public override void Dispose()
    {
        if (_executable == 0) return;
        _stream.Settle();
        CudaRuntime.Ignore(CudaRuntime.GraphExecDestroy(_executable));
        _executable = 0;
        // Without the trim the driver keeps the memory that libraries allocated inside the graph, and no plan counts it.
        CudaRuntime.Ignore(CudaRuntime.DeviceGraphMemTrim(_card));
    }

    // A graph must hold no host function, because every replay would call it again after its first call has released its data.
    private static int CheckNodes(nint graph)
    {
        nuint count = 0;
        CudaRuntime.Check(CudaRuntime.GraphGetNodes(graph, null, &count), nameof(CudaRuntime.GraphGetNodes));
        if (count == 0) throw new CudaCaptureException("nothing was recorded: the runs went to another stream");
        nint[] nodes = new nint[(int)count];
        fixed (nint* first = nodes)
            CudaRuntime.Check(CudaRuntime.GraphGetNodes(graph, first, &count), nameof(CudaRuntime.GraphGetNodes));
        foreach (nint node in nodes)
        {
            CudaRuntime.Check(CudaRuntime.GraphNodeGetType(node, out int type), nameof(CudaRuntime.GraphNodeGetType));
            if (type == CudaRuntime.NodeHost) throw new CudaCaptureException("the runs call back to the host");
        }

        return nodes.Length;
    }
}

/// <summary>The captured work cannot be repeated.</summary>
internal sealed class CudaCaptureException(string found)
    : MuseAtelierException(found, "kernels and copies only", "The steps are run plainly.");
