using MuseAtelier.Cuda.Native;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>A run that a stream recorded, to be repeated as one piece.</summary>
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

    /// <summary>Kernels and copies of the run.</summary>
    public int Nodes { get; }

    /// <summary>Records what a stream is asked for meanwhile.</summary>
    /// <param name="stream">The stream; borrowed for the graph's life.</param>
    /// <param name="card">The stream's card.</param>
    /// <param name="run">Asks the stream.</param>
    /// <exception cref="MuseAtelierException">The run, or a call of CUDA, failed; the stream is as before.</exception>
    /// <exception cref="CudaCaptureException">What was recorded cannot be repeated.</exception>
    public static CudaGraph Capture(CudaStream stream, int card, Action run)
    {
        // Relaxed: ONNX Runtime may ask for memory, and other threads may do as they like.
        CudaRuntime.Check(CudaRuntime.StreamBeginCapture(stream.Handle, CudaRuntime.CaptureModeRelaxed), nameof(CudaRuntime.StreamBeginCapture));
        nint graph = 0;
        try
        {
            int code;
            try
            {
                run();
            }
            finally
            {
                code = CudaRuntime.StreamEndCapture(stream.Handle, out graph);
            }

            CudaRuntime.Check(code, nameof(CudaRuntime.StreamEndCapture));
            int nodes = CheckNodes(graph);
            CudaRuntime.Check(CudaRuntime.GraphInstantiate(out nint executable, graph, CudaRuntime.GraphAutoFreeOnLaunch), nameof(CudaRuntime.GraphInstantiate));
            return new CudaGraph(stream, card, executable, nodes);
        }
        finally
        {
            if (graph != 0) CudaRuntime.Ignore(CudaRuntime.GraphDestroy(graph));
            // A broken capture leaves its error behind, which the next call of anyone would take for its own.
            CudaRuntime.Ignore(CudaRuntime.GetLastError());
        }
    }

    public override void Launch() => CudaRuntime.Check(CudaRuntime.GraphLaunch(_executable, _stream.Handle), nameof(CudaRuntime.GraphLaunch));

    public override void Dispose()
    {
        if (_executable == 0) return;
        _stream.Settle();
        CudaRuntime.Ignore(CudaRuntime.GraphExecDestroy(_executable));
        _executable = 0;
        // Memory that libraries took inside the graph stays with the driver otherwise, where no plan counts it.
        CudaRuntime.Ignore(CudaRuntime.DeviceGraphMemTrim(_card));
    }

    // A function on the host would be called in every repetition, where its first call already gave back what it works on.
    private static int CheckNodes(nint graph)
    {
        nuint count = 0;
        CudaRuntime.Check(CudaRuntime.GraphGetNodes(graph, null, &count), nameof(CudaRuntime.GraphGetNodes));
        if (count == 0) throw new CudaCaptureException("nothing was recorded: the runs went to another stream");
        nint[] nodes = new nint[(int)count];
        fixed (nint* first = nodes) CudaRuntime.Check(CudaRuntime.GraphGetNodes(graph, first, &count), nameof(CudaRuntime.GraphGetNodes));
        foreach (nint node in nodes)
        {
            CudaRuntime.Check(CudaRuntime.GraphNodeGetType(node, out int type), nameof(CudaRuntime.GraphNodeGetType));
            if (type == CudaRuntime.NodeHost) throw new CudaCaptureException("the runs call back to the host");
        }

        return nodes.Length;
    }
}

/// <summary>What was recorded cannot be repeated.</summary>
internal sealed class CudaCaptureException(string found) : MuseAtelierException(found, "kernels and copies only", "The steps are run plainly.");
